#include "core/server/program/arguments.h"

#include "tests/support/catch.h"

using namespace pganalytics::server::program;

namespace {

struct Ran {
  int exit_code;
  std::optional<Arguments> arguments;
};

// Runs the command line against one command "token create [--uses N]" and one "show ID".
Ran run(std::vector<std::string> words) {
  Ran ran{-1, std::nullopt};
  const auto keep = [&](const Arguments& arguments) {
    ran.arguments = arguments;
    return 7;
  };
  boost::program_options::options_description options("Options");
  options.add_options()("uses", boost::program_options::value<int>()->default_value(1), "");
  const std::vector<Command> commands{{"token create", "", 0, "", options, keep}, {"show", "ID", 1, "", {}, keep}};
  words.insert(words.begin(), "pganalytics-server");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  ran.exit_code = dispatch(commands, static_cast<int>(argv.size()), argv.data());
  return ran;
}

}  // namespace

TEST_CASE("a command gets its options, its operands, and the common ones") {
  const Ran created = run({"token", "create", "--uses", "3", "--json", "--config", "/x.toml"});
  REQUIRE(created.exit_code == 7);
  CHECK(created.arguments->value<int>("uses") == 3);
  CHECK(created.arguments->json);
  CHECK(created.arguments->config_file == "/x.toml");
  const Ran shown = run({"show", "abc"});
  REQUIRE(shown.exit_code == 7);
  CHECK(shown.arguments->words == std::vector<std::string>{"abc"});
}

TEST_CASE("mistakes are usage errors and run nothing, help is not an error") {
  for (const std::vector<std::string>& words : {std::vector<std::string>{},
                                                {"tokn", "create"},
                                                {"token"},
                                                {"token", "create", "--use"},
                                                {"token", "create", "--uses", "many"},
                                                {"show"},
                                                {"show", "a", "b"}}) {
    const Ran ran = run(words);
    CHECK(ran.exit_code == kExitUsage);
    CHECK_FALSE(ran.arguments);
  }
  CHECK(run({"--help"}).exit_code == kExitOk);
  CHECK(run({"show", "--help"}).exit_code == kExitOk);
}
