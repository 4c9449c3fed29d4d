#include <sys/stat.h>

#include <set>

#include "tests/failpoints/faults.h"
#include "tests/framework/cli/support.h"

// Folders of runs in which something is not what it should be, as they may come from elsewhere,
// against each verb: it ends in words or does what it can, waits for nothing, and touches nothing
// outside. VITRINE_TEST_STRIDE=1 tries everything, as scripts/failpoints.sh does.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr const char* kParts[] = {
    "config.yaml", "metrics.json",      "metrics.jsonl",
    "test.json",   "model.safetensors", "checkpoints",
    "log.txt",     "annotations.json",  ".lock",
    "plots",       ".config.yaml.next", "checkpoints/step-00000003.safetensors",
    "worst"};
constexpr const char* kKinds[] = {"gone",          "folder", "link to a file", "link to a folder",
                                  "dangling link", "pipe",   "empty",          "garbage"};
const std::vector<std::vector<std::string>> kVerbs = {
    {"status", "hostile"},
    {"compare", "hostile", "sound"},
    {"report", "hostile", "-o", "page.html"},
    {"note", "hostile", "text"},
    {"tag", "hostile", "a"},
    {"resume", "hostile", "training.epochs=2"},
    {"test", "hostile"},
    {"predict", "hostile", "none.png"},
    {"plot", "curves", "hostile", "-o", "c.csv"},
    {"plot", "positions", "hostile"},
    {"export", "hostile", "w.safetensors"},
    {"export", "hostile", "events", "--to", "tensorboard"},
    {"show", "hostile/config.yaml"},
    {"hostile/config.yaml", "--run-dir", "hostile", "--resume"}};

class Hostile : public Desk {
 public:
  Hostile() {
    train("sound");
    write("notes", "mine");
    fs::create_directory(*this / "others");
    write("others/notes", "mine as well");
  }

  void make(const std::string& part, const std::string& kind) const {
    fs::remove_all(*this / "hostile");
    fs::copy(*this / "sound", *this / "hostile", fs::copy_options::recursive);
    const fs::path place = *this / ("hostile/" + part);
    fs::remove_all(place);
    if (kind == "folder") fs::create_directory(place);
    if (kind == "link to a file") fs::create_symlink(*this / "notes", place);
    if (kind == "link to a folder") fs::create_symlink(*this / "others", place);
    if (kind == "dangling link") fs::create_symlink(*this / "made", place);
    if (kind == "pipe") REQUIRE(mkfifo(place.c_str(), 0600) == 0);
    if (kind == "empty") write_plain(place, "");
    if (kind == "garbage") write_plain(place, std::string(5000, '\xff'));
  }

  // Whether nothing outside of the run was touched.
  bool is_untouched() const {
    return bytes_of(*this / "notes") == "mine" &&
           bytes_of(*this / "others/notes") == "mine as well" && !fs::exists(*this / "made") &&
           std::distance(fs::directory_iterator(*this / "others"), {}) == 1;
  }
};

TEST_CASE("whatever a run's folder holds, each verb ends in words and touches nothing outside") {
  const Hostile desk;
  const int64_t stride = failpoints::stride(11);
  const std::set<int> allowed = {0, 1, 2, 3, 5};
  int64_t number = 0, tried = 0;
  for (const char* part : kParts) {
    for (const char* kind : kKinds) {
      for (const std::vector<std::string>& verb : kVerbs) {
        if (number++ % stride != 0) continue;
        desk.make(part, kind);
        std::vector<std::string> arguments = runner_command(verb);
        arguments.insert(arguments.begin(), {"timeout", "20"});
        const Result result = Process(arguments, desk.folder(), isolated(desk.folder())).wait();
        INFO(verb[0] << " " << verb[1] << " where " << part << " is: " << kind << "\n"
                     << result.err);
        CHECK(allowed.contains(result.code));
        CHECK((result.code == 0 || !result.err.empty()));
        REQUIRE(desk.is_untouched());
        ++tried;
      }
    }
  }
  CHECK(tried > 100);
  failpoints::tell_tried(tried);
}

}  // namespace
}  // namespace vitrine
