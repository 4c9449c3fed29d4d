#include <map>
#include <set>

#include "framework/runs/checkpoint.h"
#include "tests/failpoints/child.h"
#include "tests/failpoints/faults.h"
#include "tests/framework/training/tried_run.h"

// What a disk may hold after a power cut, at any moment of a run: of what was written, made and
// renamed since the last fsync all, nothing, or one without the other. From each such state the run
// goes on to the bits of one that nothing befell.
namespace vitrine {
namespace {

namespace fs = std::filesystem;
using failpoints::Call;
using failpoints::Calls;
using failpoints::in_child;
using failpoints::Mode;
using failpoints::stride;
using failpoints::temporaries_in;

// Which of what is not on the disk for sure is there all the same.
struct Cut {
  const char* name;
  bool has_data, has_names;
};
constexpr Cut kCuts[] = {{"all", true, true},
                         {"what was synced", false, false},
                         {"names without data", false, true},
                         {"data without names", true, false}};

// Files and folders, as programs see them and as the disk has them for sure.
class Disk {
 public:
  explicit Disk(std::string root) : root_(std::move(root)) {}

  void replay(const Call& call) {
    const std::string path = plain(call.path);
    if (call.name == "mkdir") {
      folders_.insert(path);
    } else if (call.name == "create") {
      if (!names_.contains(path))
        names_[path] = static_cast<int>(files_.size()), files_.push_back({});
    } else if (call.name == "write") {
      write(path, call);
    } else if (call.name == "truncate") {
      if (names_.contains(path)) file(path).seen.resize(static_cast<size_t>(call.offset));
    } else if (call.name == "rename") {
      const auto moved = names_.extract(path);
      if (!moved.empty()) names_[plain(call.other)] = moved.mapped();
    } else if (call.name == "remove") {
      names_.erase(path);
    } else if (call.name == "fsync") {
      sync(path);
    }
  }

  void write_to(const fs::path& folder, const Cut& cut) const {
    fs::create_directories(folder);
    for (const std::string& name : cut.has_names ? folders_ : synced_folders_)
      fs::create_directories(folder / name);
    for (const auto& [name, number] : cut.has_names ? names_ : synced_names_) {
      const File& file = files_[static_cast<size_t>(number)];
      fs::create_directories((folder / name).parent_path());
      write_plain(folder / name, cut.has_data ? file.seen : file.synced);
    }
  }

 private:
  struct File {
    std::string seen, synced;
  };

  // Relative to the root, without a slash at its end.
  std::string plain(const std::string& path) const {
    std::string out = path.substr(std::min(path.size(), root_.size()));
    while (out.ends_with('/')) out.pop_back();
    return out;
  }
  File& file(const std::string& path) { return files_[static_cast<size_t>(names_.at(path))]; }

  void write(const std::string& path, const Call& call) {
    if (!names_.contains(path)) return;
    std::string& bytes = file(path).seen;
    const auto begin = static_cast<size_t>(call.offset);
    bytes.resize(std::max(bytes.size(), begin + call.bytes.size()));
    bytes.replace(begin, call.bytes.size(), call.bytes);
  }

  static std::string folder_of(const std::string& path) {
    const size_t slash = path.rfind('/');
    return slash == path.npos ? "" : path.substr(0, slash);
  }

  void sync(const std::string& path) {
    if (names_.contains(path)) {
      file(path).synced = file(path).seen;
      return;
    }
    std::erase_if(synced_names_, [&](const auto& entry) { return folder_of(entry.first) == path; });
    for (const auto& [name, number] : names_) {
      if (folder_of(name) == path) synced_names_[name] = number;
    }
    for (const std::string& name : folders_) {
      if (folder_of(name) == path) synced_folders_.insert(name);
    }
  }

  std::string root_;
  std::vector<File> files_;
  std::map<std::string, int> names_, synced_names_;
  std::set<std::string> folders_, synced_folders_;
};

// All that `act` does to files below `folder`, recorded in another process.
std::vector<Call> record(const Training& training, const fs::path& file,
                         const std::function<void()>& act) {
  const failpoints::Plan plan{
      training.run().parent_path().string() + "/", Calls::kWrites, Mode::kNothing, 0, 0, true};
  const auto outcome = in_child(plan, [&] {
    act();
    failpoints::disarm();
    nlohmann::json out = nlohmann::json::array();
    for (const Call& call : failpoints::recorded()) {
      const std::vector<uint8_t> bytes(call.bytes.begin(), call.bytes.end());
      out.push_back({call.name, call.path, call.other, nlohmann::json::binary(bytes), call.offset});
    }
    const std::vector<uint8_t> text = nlohmann::json::to_cbor(out);
    write_plain(file, std::string(text.begin(), text.end()));
    return 0;
  });
  CAPTURE(outcome.words);
  REQUIRE(outcome.code == 0);
  const std::string text = read_file(file, uint64_t{1} << 30);
  std::vector<Call> calls;
  for (const auto& call : nlohmann::json::from_cbor(text)) {
    const auto& bytes = call[3].get_binary();
    calls.push_back({call[0], call[1], call[2], std::string(bytes.begin(), bytes.end()), call[4]});
  }
  return calls;
}

TEST_CASE("from any state that a power cut may leave a run goes on to the same bits") {
  const TemporaryFolder home;
  const Training whole(home / "whole");
  const std::vector<Call> calls = record(whole, home / "calls", [&] { must(whole.start()); });
  const TriedResult expected = result_of(whole.run());
  REQUIRE(expected.status == "finished");
  REQUIRE(calls.size() > 50);
  Disk disk((whole.run().parent_path() / "").string());
  int64_t tried = 0;
  for (size_t i = 0; i < calls.size(); ++i) {
    disk.replay(calls[i]);
    if (static_cast<int64_t>(i) % stride() != 0) continue;
    for (const Cut& cut : kCuts) {
      fs::remove_all(home / "cut");
      const Training training(home / "cut");
      disk.write_to(home / "cut", cut);
      const auto outcome = in_child({}, [&] {
        must(training.start_or_resume());
        return 0;
      });
      INFO("after call " << i << " (" << calls[i].name << " " << calls[i].path << "), " << cut.name
                         << ": " << outcome.code << " " << outcome.words);
      REQUIRE(outcome.code == 0);
      const TriedResult result = result_of(training.run());
      CHECK(result.model == expected.model);
      CHECK(result.rows == expected.rows);
      CHECK(result.exact);
      CHECK(temporaries_in(training.run()).empty());
      ++tried;
    }
  }
  CHECK(tried > 20);
  failpoints::tell_tried(tried);
}

}  // namespace
}  // namespace vitrine
