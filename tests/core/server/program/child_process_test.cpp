#include "core/server/program/child_process.h"

#include "core/files/files.h"
#include "tests/support/catch.h"
#include "tests/support/must.h"
#include "tests/support/temporary_folder.h"

#include <fcntl.h>
#include <unistd.h>

using namespace pganalytics;
using namespace pganalytics::server::program;

TEST_CASE("a child gets its three descriptors and none of ours") {
  const testing::TemporaryFolder folder;
  constexpr int kOurs = 200;
  const int null = ::open("/dev/null", O_RDONLY);
  REQUIRE(::dup2(null, kOurs) == kOurs);  // as a socket that is not closed on exec
  const int status = testing::must(
      run_to_end({"/bin/sh", "-c", "ls /proc/$$/fd; readlink /proc/$$/fd/0; echo complaint >&2; exit 7"}, folder / "log"));
  ::close(kOurs);
  ::close(null);
  CHECK(status == 7);
  CHECK(testing::must(files::read(folder / "log")) == "0\n1\n2\n/dev/null\ncomplaint\n");
}
