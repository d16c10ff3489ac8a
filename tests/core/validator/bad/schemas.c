/* E20: schemas that the host refuses or cannot hold its promise with. The define is one of the two schemas (CMakeLists.txt). */
#if defined(UNKNOWN_KEYWORD)
#define CONFIG_SCHEMA "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"label\":{\"const\":\"plain\"}}}"
#elif defined(OPEN_CONFIG)
#define CONFIG_SCHEMA "{\"type\":\"object\",\"properties\":{\"label\":{\"type\":\"string\",\"default\":\"plain\"}}}"
#elif defined(BAD_DEFAULT)
#define CONFIG_SCHEMA                                                    \
  "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{" \
  "\"label\":{\"type\":\"string\",\"maxLength\":4,\"default\":\"plain\"}}}"
#elif defined(NOT_JSON)
#define OUTPUT_SCHEMA "{\"type\":\"object\",}"
#elif defined(NO_UNIT)
#define OUTPUT_SCHEMA "{\"type\":\"object\",\"properties\":{\"load\":{\"type\":\"number\",\"x-kind\":\"gauge\"}}}"
#elif defined(NO_TIMESTAMP)
#define OUTPUT_SCHEMA "{\"type\":\"object\",\"additionalProperties\":false,\"properties\":{\"type\":{\"type\":\"string\"}}}"
#endif
#include "kit.h"

TABLES(good_create, good_configure, good_collect, NULL, good_destroy, NULL)
