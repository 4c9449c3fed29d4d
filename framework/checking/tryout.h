#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "framework/checking/placements.h"
#include "framework/engine/engine.h"

namespace vitrine {

// A small experiment that uses a component, and the folder for its runs.
struct Tryout {
  Node config;
  std::string where;  // how the component is used, in words
  std::filesystem::path folder;

  std::filesystem::path run(const std::string& name) const { return folder / name; }
  // With this at a key of the config besides.
  Tryout with(const Node& change) const;
};

inline constexpr int64_t kTryoutSteps = 8;  // of two epochs

// Who listens to tryouts: nobody.
class Nobody : public Observer {
 public:
  void message(const std::string&) override {}
  void warning(const std::string&) override {}
  void progress(const Progress&) override {}
  void download(uint64_t, uint64_t) override {}
  ExitCode stop_requested() override { return ExitCode::kDone; }
};

// Of an error, without what it shows of files.
inline std::string first_line(const std::string& text) { return text.substr(0, text.find('\n')); }

// What all tryouts have in common, with this in the data set's column of labels.
Node tryout_base(const std::string& labels);

std::shared_ptr<const ResolvedConfig> resolve_tryout(const Tryout& tryout);
// Trains in the tryout's folder `name`, to the end or so many steps. Returns its warnings.
std::vector<std::string> train_tryout(const Tryout& tryout, const std::string& name,
                                      std::optional<int64_t> stop_after = {});
void resume_tryout(const Tryout& tryout, const std::string& name);

// What differs between the results of two runs: a tensor of the last checkpoints, or a number of
// the rows; empty where nothing does.
std::string difference(const std::filesystem::path& one, const std::filesystem::path& other);

}  // namespace vitrine
