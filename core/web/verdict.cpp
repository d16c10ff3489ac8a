#include "core/web/verdict.h"

namespace pganalytics::web {

Verdict verdict_of(int status) {
  switch (status) {
    case 401: return Verdict::kUnauthorized;
    case 403: return Verdict::kForbidden;
    case 410: return Verdict::kGone;
    case 429: return Verdict::kBusy;
    case 408:
    case 425: return Verdict::kRetry;
    case 501: return Verdict::kNotThisApi;
    default: break;
  }
  if (status >= 300 && status < 400) return Verdict::kRedirected;
  if (status >= 400 && status < 500) return Verdict::kNotThisApi;
  return Verdict::kRetry;
}

}  // namespace pganalytics::web
