#include "framework/cli/export_tensorboard.h"

#include <fmt/format.h>

#include <map>
#include <set>

#include "framework/cli/annotations.h"
#include "framework/cli/passed_over.h"
#include "framework/cli/terminal.h"
#include "framework/comparing/runs.h"
#include "framework/runs/tensorboard.h"

namespace vitrine {
namespace {

namespace fs = std::filesystem;

// Runs by the folders that are made for them.
using NamedRuns = std::map<fs::path, fs::path>;

std::string last_name(const fs::path& place) {
  const fs::path normal = fs::absolute(place).lexically_normal();
  return (normal.has_filename() ? normal : normal.parent_path()).filename();
}

// Below its place a run keeps its path; what has the same name as another one gets a number.
NamedRuns named_runs(const std::vector<std::string>& places, PassedOver& passed_over) {
  NamedRuns out;
  std::set<fs::path> seen;
  for (const std::string& place : places) {
    const FoundRuns found = find_all_runs({place});
    passed_over.add(found.passed_over);
    for (const fs::path& run : found.runs) {
      if (!seen.insert(fs::weakly_canonical(run)).second) continue;
      const fs::path below =
          fs::weakly_canonical(run).lexically_relative(fs::weakly_canonical(fs::path(place)));
      fs::path name = below == "." ? fs::path(last_name(place)) : below;
      if (places.size() > 1 && below != ".") name = last_name(place) / name;
      fs::path unused = name;
      for (int i = 2; out.contains(unused); ++i) unused = name.string() + fmt::format("-{}", i);
      out[unused] = run;
    }
  }
  return out;
}

void refuse_filled(const std::string& folder) {
  const auto there = Folder::find(folder);
  if (!there || there->names().empty()) return;
  throw Error(ExitCode::kUsage,
              fmt::format("{} is not empty: event files are written into a folder of their own, "
                          "since TensorBoard shows all that lie in one as one run",
                          escape(folder)));
}

}  // namespace

ExitCode export_to_tensorboard(const std::vector<std::string>& places, const std::string& folder) {
  refuse_filled(folder);
  PassedOver passed_over;
  const NamedRuns runs = named_runs(places, passed_over);
  size_t failures = 0;
  for (const auto& [name, run] : runs) {
    try {
      write_event_files(run, runs.size() == 1 ? fs::path(folder) : folder / name);
    } catch (const Error& error) {
      if (error.code() != ExitCode::kData || ++failures == runs.size()) throw;
      print_warning(error.what());
    }
  }
  print(fmt::format("wrote {}: {} for tensorboard --logdir {}", escape(folder),
                    counted_runs(runs.size() - failures), shell_word(escape(folder))));
  return tell_passed_over(passed_over);
}

}  // namespace vitrine
