#include "tests/framework/cli/support.h"

// Every verb that searches folders says what it did not look into.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("verbs that search folders tell of links") {
  const Desk desk;
  desk.train("runs/a");
  fs::rename(desk / "runs/a", desk / "runs/b");
  fs::create_directory(desk / "runs/more");
  fs::create_directory_symlink("../b", desk / "runs/more/linked");
  const std::string told = "warning: 1 link passed over\n";
  for (const std::vector<std::string>& command : {std::vector<std::string>{"status"},
                                                  {"status", "--json"},
                                                  {"compare", "runs"},
                                                  {"compare", "runs", "--csv"},
                                                  {"report", "runs", "-o", "r.html"},
                                                  {"plot", "curves", "runs", "-o", "c.csv"}}) {
    const Result result = desk.run(command);
    INFO(command[0]);
    CHECK(result.code == 0);
    CHECK_THAT(result.err, EndsWith(told));
  }
  const Json json = Json::parse(desk.run({"compare", "runs", "--json"}).out);
  CHECK(json["passed_over"]["links"] == Json::array({"runs/more/linked"}));
  CHECK(desk.run({"status", "runs/more"}).err ==
        "error: runs/more: no run was found; 1 link passed over\n");
  CHECK(desk.run({"status", "runs/more/linked"}).err == "");
}

}  // namespace
}  // namespace vitrine
