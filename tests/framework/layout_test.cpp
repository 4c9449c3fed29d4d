#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include "tests/catch.h"

namespace {

namespace fs = std::filesystem;

struct Include {
  int line;
  std::string name;
};

const fs::path kRoot = VITRINE_SOURCE_DIR;
const std::vector<std::string> kComponentRooms = {"models", "datasets", "experiments"};
const std::vector<std::string> kTorchFree = {
    "framework/config",  "framework/registry", "framework/files",     "framework/runs",
    "framework/simd",    "framework/kernel",   "framework/program",   "framework/sweeps",
    "framework/drawing", "framework/engine",   "framework/comparing", "framework/reports",
    "framework/cli"};
// Operations' forms in libtorch stand beside them, and are compiled into the engine alone.
const std::string kTorchForms = "framework/program/operation/torch/";
// What the components of models/ have in common.
const std::vector<std::string> kShared = {"models/parts.h", "models/heads.h", "models/patches.h",
                                          "experiments/reconstruction.h", "experiments/probe.h"};

// Of what is shared, what stands in the header's source is none.
bool is_component(const std::string& file) {
  return file.ends_with(".cpp") && std::count(file.begin(), file.end(), '/') <= 2 &&
         !fs::exists(kRoot / fs::path(file).replace_extension(".h"));
}

bool begins_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return text.starts_with(prefix); });
}

// Of .h and .cpp files below `room`, relative to the repository.
std::vector<std::string> sources_in(const std::string& room) {
  std::vector<std::string> out;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / room)) {
    const auto extension = entry.path().extension();
    if (extension == ".h" || extension == ".cpp")
      out.push_back(entry.path().lexically_relative(kRoot).generic_string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

std::vector<std::string> lines_of(const std::string& file) {
  std::ifstream in(kRoot / file);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

const std::vector<Include>& includes_of(const std::string& file) {
  static std::map<std::string, std::vector<Include>> known;
  if (const auto found = known.find(file); found != known.end()) return found->second;
  static const std::regex pattern(R"(^\s*#\s*include\s*[<"]([^>"]+)[>"].*)");
  std::vector<Include> out;
  const auto lines = lines_of(file);
  for (size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_match(lines[i], match, pattern))
      out.push_back({static_cast<int>(i) + 1, match[1]});
  }
  return known[file] = out;
}

bool is_torch(const std::string& name) {
  return begins_with_any(name, {"torch/", "ATen/", "c10/", "caffe2/"});
}

// "a.cpp:3 includes b.h:7 includes torch/torch.h" for the ways from `file` to a torch header, one
// for each header of ours.
void find_torch(const std::string& file, const std::string& chain, std::set<std::string>& seen,
                std::vector<std::string>& found) {
  for (const Include& include : includes_of(file)) {
    const std::string way = chain + file + ":" + std::to_string(include.line) + " includes ";
    if (is_torch(include.name)) {
      found.push_back(way + include.name);
      return;
    }
    if (fs::exists(kRoot / include.name) && seen.insert(include.name).second) {
      find_torch(include.name, way, seen, found);
    }
  }
}

// "models/plot/attention/maps.h" belongs to models/plot/attention.cpp and to what lies beside it.
bool is_own(const std::string& file, const std::string& included) {
  const std::string folder = fs::path(included).parent_path().generic_string();
  const bool below_kind = std::count(folder.begin(), folder.end(), '/') >= 2;
  return below_kind && (file == folder + ".cpp" || file.starts_with(folder + "/"));
}

std::string joined(const std::vector<std::string>& lines) {
  std::string out;
  for (const std::string& line : lines) out += line + "\n";
  return out;
}

}  // namespace

TEST_CASE("components include the framework, what models share and nothing of each other",
          "[layout]") {
  std::vector<std::string> wrong;
  for (const std::string& room : kComponentRooms) {
    for (const std::string& file : sources_in(room)) {
      for (const Include& include : includes_of(file)) {
        const bool ours =
            fs::exists(kRoot / include.name) ||
            begins_with_any(include.name, {"models/", "datasets/", "experiments/", "tests/"});
        const bool allowed = include.name.starts_with("framework/") ||
                             begins_with_any(include.name, kShared) || is_own(file, include.name);
        if (ours && !allowed)
          wrong.push_back(file + ":" + std::to_string(include.line) + " includes " + include.name);
      }
    }
  }
  CHECK(joined(wrong) == "");
}

TEST_CASE("the framework includes no component and no test", "[layout]") {
  std::vector<std::string> wrong;
  for (const std::string& file : sources_in("framework")) {
    for (const Include& include : includes_of(file)) {
      if (begins_with_any(include.name, {"models/", "datasets/", "experiments/", "tests/"})) {
        wrong.push_back(file + ":" + std::to_string(include.line) + " includes " + include.name);
      }
    }
  }
  CHECK(joined(wrong) == "");
}

TEST_CASE("rooms without torch reach no torch header", "[layout]") {
  std::vector<std::string> found;
  for (const std::string& file : sources_in("framework")) {
    if (file == "framework/tensor.h" || file == "framework/torch.h") continue;
    const bool on_top = fs::path(file).parent_path() == "framework";
    if (file.starts_with(kTorchForms) || (!on_top && !begins_with_any(file, kTorchFree))) continue;
    std::set<std::string> seen = {file};
    find_torch(file, "", seen, found);
  }
  CHECK(joined(found) == "");
}

TEST_CASE("includes are written from the root of the repository", "[layout]") {
  std::vector<std::string> wrong;
  for (const std::string room : {"framework", "models", "datasets", "experiments", "tests"}) {
    for (const std::string& file : sources_in(room)) {
      const auto lines = lines_of(file);
      for (const Include& include : includes_of(file)) {
        const bool quoted =
            lines[static_cast<size_t>(include.line) - 1].find('"') != std::string::npos;
        if (quoted && !fs::exists(kRoot / include.name)) {
          wrong.push_back(file + ":" + std::to_string(include.line) + " includes " + include.name);
        }
      }
    }
  }
  CHECK(joined(wrong) == "");
}

TEST_CASE("a component's file ends with its registration", "[layout]") {
  std::vector<std::string> wrong;
  for (const std::string& room : kComponentRooms) {
    for (const std::string& file : sources_in(room)) {
      if (!is_component(file)) continue;
      const auto lines = lines_of(file);
      // Behind it: its own further lines and closing namespaces.
      size_t last = 0, count = 0;
      for (size_t i = 0; i < lines.size(); ++i) {
        if (!lines[i].starts_with("VITRINE_REGISTER(")) continue;
        last = i;
        ++count;
      }
      bool ends = count == 1;
      bool open = true;  // the statement has no end yet
      for (size_t i = last; ends && i < lines.size(); ++i) {
        if (open) {
          open = !(lines[i].ends_with(")") || lines[i].ends_with(");"));
        } else {
          ends = lines[i].empty() || lines[i].starts_with("}  // namespace");
        }
      }
      if (!ends)
        wrong.push_back(file + ": VITRINE_REGISTER is not its last statement, or not there once");
    }
  }
  CHECK(joined(wrong) == "");
}

namespace {

// Of the files that have components of models/: "models/mlp/gelu.cpp" is gelu.
std::set<std::string> names_in_models() {
  std::set<std::string> out;
  for (const std::string& file : sources_in("models")) {
    if (is_component(file)) out.insert(fs::path(file).stem());
  }
  return out;
}

// Words that mean something else where they stand, and two that a user is told.
bool is_another_word(const std::string& file, const std::string& name) {
  static const std::map<std::string, std::set<std::string>> words = {
      // There is nothing of it.
      {"none",
       {"framework/training/run_metrics.cpp", "framework/cli/plot_curves.cpp",
        "framework/registry/registry.cpp", "framework/registry/abi.h",
        "framework/comparing/comparison.cpp", "framework/comparing/comparison_text.cpp",
        "framework/reports/report_data.cpp", "framework/sweeps/variants.cpp",
        "framework/runs/metrics_reader.cpp"}},
      // Of the values of several runs.
      {"mean",
       {"framework/cli/sweep.cpp", "framework/comparing/comparison_formats.cpp",
        "framework/reports/report_charts.cpp"}},
      {"linear", {"framework/reports/report_charts.cpp"}},  // an axis
      {"layer", {"framework/cli/show.cpp"}},                // a heading
      {"native", {"framework/cli/export.cpp"}},             // the default that `export` tells
  };
  const auto found = words.find(name);
  return found != words.end() && found->second.contains(file);
}

}  // namespace

TEST_CASE("the framework names no part and no model", "[layout]") {
  const std::set<std::string> names = names_in_models();
  REQUIRE(names.contains("gelu"));
  REQUIRE(names.contains("vit"));
  // Some parts are called like the operation that they consist of.
  const auto is_operation = [](const std::string& file, const std::string& name) {
    return fs::exists(kRoot / "framework/program/operation" / (name + ".cpp")) &&
           (file == "framework/training/operations.cpp" ||
            file == "framework/program/operation/" + name + ".cpp");
  };
  static const std::regex quoted(R"re("([^"\\]*)")re");
  std::vector<std::string> wrong;
  for (const std::string& file : sources_in("framework")) {
    const auto lines = lines_of(file);
    for (size_t i = 0; i < lines.size(); ++i) {
      const std::string code = lines[i].substr(0, lines[i].find("//"));
      for (std::sregex_iterator it(code.begin(), code.end(), quoted), end; it != end; ++it) {
        const std::string name = (*it)[1];
        if (!names.contains(name) || is_operation(file, name) || is_another_word(file, name))
          continue;
        wrong.push_back(file + ":" + std::to_string(i + 1) + " names " + name);
      }
    }
  }
  CHECK(joined(wrong) == "");
}
