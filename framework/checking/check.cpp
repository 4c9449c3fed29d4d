#include "framework/engine/check.h"

#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <filesystem>

#include "framework/checking/in_child.h"
#include "framework/checking/noise.h"
#include "framework/checking/pieces.h"
#include "framework/checking/placements.h"
#include "framework/checking/tries.h"
#include "framework/model/layout.h"
#include "framework/model/model.h"
#include "framework/model/plot.h"
#include "framework/training/callback.h"
#include "framework/training/config.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMostPlaces = 4, kMostValues = 8;

// A folder for the runs of tryouts, gone afterwards.
class TryoutFolder {
 public:
  TryoutFolder() {
    std::string name = (fs::temp_directory_path() / "vitrine-check-XXXXXX").string();
    if (!mkdtemp(name.data()))
      throw Error(ExitCode::kFailed, "cannot make a folder for tryouts: " + name);
    path_ = name;
  }
  ~TryoutFolder() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  TryoutFolder(const TryoutFolder&) = delete;
  TryoutFolder& operator=(const TryoutFolder&) = delete;
  const fs::path& path() const { return path_; }

 private:
  fs::path path_;
};

// Our own components of a kind, which others are tried with.
std::vector<std::string> own_names(const std::string& kind) {
  std::vector<std::string> out;
  for (const std::string& name : Registry::instance().names(kind)) {
    if (Registry::instance().find(kind, name)->library.empty()) out.push_back(name);
  }
  return out;
}

// What is wrong with options that were given is the user's to mend.
void refuse_wrong_options(const std::string& kind, const Node& component) {
  ChoiceBase choice(kind, "");
  Problems problems;
  choice.read(component, kind, problems);
  if (!problems.empty()) throw Error(ExitCode::kUsage, problems.text("command line"));
}

class Examination {
 public:
  Examination(const std::string& kind, const std::string& name, const Node& options,
              const std::function<void(const Finding&)>& tell)
      : kind_(kind), name_(name), component_(options), tell_(tell) {
    if (!component_.is_mapping()) component_ = Node::mapping();
    has_options_ = !component_.children.empty();
    component_.erase("type");
    component_.children.insert(component_.children.begin(), Node::string(name));
    component_.children[0].key = "type";
    if (kind_ == Dataset::kKind) take_a_part();
  }

  void run() {
    if (has_options_) refuse_wrong_options(kind_, component_);
    // What cannot be read is told here, where nothing can crash but what has been loaded.
    if (!tell("options", in_child([&] { return try_options(kind_, component_); }))) return;
    tell("refuses", in_child([&] { return try_refusals(kind_, component_); }));
    try_alone();
    if (kind_ == Plot::kKind) return try_drawing();
    find_tryouts();
    if (tryouts_.empty()) return;
    const Tryout& first = tryouts_[0];
    if (!tell("trains", in_child([&] { return try_whole(first); }))) return;
    if (kind_ == Loss::kKind) tell("images", in_child([&] { return try_loss(component_, first); }));
    if (kind_ == Metric::kKind)
      tell("sums", in_child([&] { return try_metric(component_, first); }));
    tell("repeats", in_child([&] { return try_again(first); }));
    if (kind_ == Logger::kKind)
      tell("reads", in_child([&] { return try_without(first, "loggers"); }));
    tell("threads", in_child([&] { return try_threads(first); }));
    tell("resumes", resumed(first));
    tell("backends", in_child([&] { return try_backends(first); }));
    tell("gradients", in_child([&] { return try_gradients(first); }));
    if (kind_ == Experiment::kKind) tell("shares", in_child([&] { return try_share(first); }));
    tell("order", in_child([&] { return try_order(first); }));
    tell("tests", in_child([&] { return try_test(first); }));
    tell("exports", in_child([&] { return try_export(first); }));
    tell("batches", in_child([&] { return try_batches(first); }));
    try_elsewhere();
    try_values();
  }

 private:
  bool tell(const char* what, Finding finding) {
    finding.what = what;
    tell_(finding);
    return finding.kind == Finding::Kind::kSound;
  }

  // Of a large data set.
  void take_a_part() {
    for (const auto& [option, count] :
         {std::pair{"validation", 8}, {"limit_train", 40}, {"limit_test", 14}}) {
      if (!component_.find(option)) component_.set(option, Node::plain(std::to_string(count)));
    }
  }

  void try_alone() {
    if (kind_ == Transform::kKind)
      tell("images", in_child([&] { return try_transform(component_); }));
    if (kind_ == Schedule::kKind)
      tell("factors", in_child([&] { return try_schedule(component_); }));
    if (kind_ == Layout::kKind) tell("weights", in_child([&] { return try_layout(name_); }));
    if (kind_ == Dataset::kKind) {
      data_are_here_ = tell("data", in_child([&] { return try_dataset(component_); }));
    }
  }

  // Of a run of each model, until one can be drawn.
  void try_drawing() {
    Node options = component_;
    options.erase("type");
    Finding found;
    for (const std::string& model : own_names(Model::kKind)) {
      Tryout tryout{tryout_base(kNoiseLabels[0]), model, folder_.path() / model};
      tryout.config.set("model", Node::string(model));
      in_child([&] {
        fs::create_directories(tryout.folder);
        return try_whole(tryout);
      });
      found = in_child([&] { return try_plot(name_, options, tryout); });
      if (found.kind != Finding::Kind::kNotTried) break;
    }
    tell("draws", found);
  }

  // The configs that choose the component and are sound, the first of which is tried in full.
  void find_tryouts() {
    if (kind_ == Layout::kKind || !data_are_here_) return;
    Finding refused = Finding::not_tried(
        fmt::format("no key of a config takes a {}: check the component that makes one", kind_));
    // An experiment may ask for images that differ each time.
    std::vector<std::string> transforms = {""};
    if (kind_ == Experiment::kKind) {
      const auto own = own_names(Transform::kKind);
      transforms.insert(transforms.end(), own.begin(), own.end());
    }
    for (const std::string& transform : transforms) {
      for (const std::string& model : own_names(Model::kKind)) {
        if (tryouts_.empty() && !find_tryouts_with(model, transform, refused)) return;
      }
    }
    if (tryouts_.empty()) tell("builds", refused);
  }

  // False where a fault was found. `refused`: why what is no tryout is none.
  bool find_tryouts_with(const std::string& model, const std::string& transform, Finding& refused) {
    for (const char* labels : kNoiseLabels) {
      Node base = tryout_base(labels);
      if (kind_ == Dataset::kKind) base.erase("dataset");
      if (!transform.empty())
        base.find("dataset")->set("transforms", Node::sequence({Node::string(transform)}));
      for (Placement& place : placements(kind_, component_, base)) {
        if (tryouts_.size() == kMostPlaces) return true;
        // What stands within a model meets labels only through its heads.
        const bool is_part = place.key.starts_with("model.");
        if (is_part && std::any_of(tryouts_.begin(), tryouts_.end(), [&](const Tryout& other) {
              return other.where.starts_with(place.key + ",");
            }))
          continue;
        if (!place.config.find("model")) place.config.set("model", Node::string(model));
        Tryout tryout{std::move(place.config), fmt::format("{}, {}", place.key, labels),
                      folder_.path() / std::to_string(tryouts_.size())};
        const Finding found = in_child([&] {
          fs::create_directories(tryout.folder);
          try {
            resolve_tryout(tryout);
          } catch (const Error& error) {
            if (error.code() != ExitCode::kUsage) throw;
            return Finding::not_tried(first_line(error.what()));
          }
          return Finding::sound();
        });
        if (found.kind == Finding::Kind::kFault) {
          tell("builds", found);
          tryouts_.clear();
          return false;
        }
        if (found.kind == Finding::Kind::kSound) {
          tryouts_.push_back(std::move(tryout));
        } else {
          refused = found;
        }
      }
    }
    return true;
  }

  Finding resumed(const Tryout& tryout) {
    for (const int64_t step : {1, 3, 4, 7}) {
      const Finding stopped = in_child([&] { return try_stopping(tryout, step); });
      if (stopped.kind != Finding::Kind::kSound) return stopped;
      const Finding found = in_child([&] { return try_resuming(tryout, step); });
      if (found.kind != Finding::Kind::kSound) return found;
    }
    return Finding::sound("the same bits when stopped after 1, 3, 4 and 7 steps of 8");
  }

  // The other places that take it.
  void try_elsewhere() {
    if (tryouts_.size() < 2) return;
    std::string tried;
    for (size_t i = 1; i < tryouts_.size(); ++i) {
      const Finding found = in_child([&] { return try_whole(tryouts_[i]); });
      if (found.kind != Finding::Kind::kSound) {
        tell("elsewhere", Finding::fault(tryouts_[i].where + ": " + found.words));
        return;
      }
      tried += (tried.empty() ? "" : "; ") + tryouts_[i].where;
    }
    tell("elsewhere", Finding::sound(tried));
  }

  // Other values of options that are one of a few.
  void try_values() {
    std::string tried;
    size_t count = 0;
    for (const Node& change : other_options(kind_, component_)) {
      if (++count > kMostValues) break;
      const std::string shown = to_flow_yaml(change);
      Node component = component_;
      for (const Node& child : change.children) component.set(child.key, child);
      const auto places = placements(kind_, component, tryouts_[0].config);
      if (places.empty()) return;
      const Tryout tryout{places[0].config, shown, folder_.path() / fmt::format("value_{}", count)};
      const Finding found = in_child([&] {
        fs::create_directories(tryout.folder);
        try {
          resolve_tryout(tryout);
        } catch (const Error& error) {
          if (error.code() != ExitCode::kUsage) throw;
          return Finding::not_tried(first_line(error.what()));
        }
        return try_whole(tryout);
      });
      if (found.kind == Finding::Kind::kNotTried) continue;
      if (found.kind == Finding::Kind::kFault) {
        tell("values", Finding::fault(shown + ": " + found.words));
        return;
      }
      tried += (tried.empty() ? "" : " ") + shown;
    }
    if (!tried.empty()) tell("values", Finding::sound(tried));
  }

  std::string kind_, name_;
  Node component_;
  const std::function<void(const Finding&)>& tell_;
  TryoutFolder folder_;
  std::vector<Tryout> tryouts_;
  bool has_options_ = false, data_are_here_ = true;
};

void check(const std::string& kind, const std::string& name, const Node& options,
           const std::function<void(const Finding&)>& tell) {
  register_noise();
  Examination(kind, name, options, tell).run();
}

[[maybe_unused]] const bool provided = provide_check(check);

}  // namespace
}  // namespace vitrine
