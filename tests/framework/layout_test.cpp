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

// The folders of framework/ from bottom to top: each includes what is in it and below, nothing
// above, so there are no circles.
struct Room {
  std::string folder;
  bool has_torch;
};
const std::vector<Room> kRooms = {{"framework", false},  // but for kTorchHeaders
                                  {"framework/simd", false},
                                  {"framework/files", false},
                                  {"framework/images", false},
                                  {"framework/config", false},
                                  {"framework/registry", false},
                                  {"framework/runs", false},
                                  {"framework/drawing", false},
                                  {"framework/engine", false},
                                  {"framework/program", false},
                                  {"framework/program/operation", false},
                                  {"framework/onnx", false},
                                  {"framework/onnx/operation", false},
                                  {"framework/kernel", false},
                                  {"framework/ranks", false},
                                  {"framework/ranks/mpi", false},
                                  {"framework/infer/include", false},
                                  {"framework/infer", false},
                                  {"framework/predicting", false},
                                  {"framework/state", true},
                                  {"framework/data", true},
                                  {"framework/model", true},
                                  {"framework/model/operation", true},
                                  {"framework/training", true},
                                  {"framework/training/cuda", true},
                                  {"framework/checking", true},
                                  {"framework/sweeps", false},
                                  {"framework/sweeps/searcher", false},
                                  {"framework/sweeps/launcher", false},
                                  {"framework/comparing", false},
                                  {"framework/reports", false},
                                  {"framework/cli", false}};
const std::set<std::string> kTorchHeaders = {"framework/tensor.h", "framework/torch.h"};

// What components have in common: the headers that stand directly in their rooms.
bool is_shared(const std::string& file) {
  const std::string room = fs::path(file).parent_path().generic_string();
  return file.ends_with(".h") && std::count(kComponentRooms.begin(), kComponentRooms.end(), room);
}

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

std::string folder_of(const std::string& file) {
  return fs::path(file).parent_path().generic_string();
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
        const bool allowed = include.name.starts_with("framework/") || is_shared(include.name) ||
                             is_own(file, include.name);
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

namespace {

struct Arrow {
  std::string file;
  int line;
  std::string included;

  std::string from() const { return folder_of(file); }
  std::string to() const { return folder_of(included); }
  std::string text() const { return file + ":" + std::to_string(line) + " includes " + included; }
};

// Of the files of framework/ to each other.
std::vector<Arrow> arrows() {
  std::vector<Arrow> out;
  for (const std::string& file : sources_in("framework")) {
    for (const Include& include : includes_of(file)) {
      if (include.name.starts_with("framework/")) out.push_back({file, include.line, include.name});
    }
  }
  return out;
}

// The fewest of the arrows that lead from one folder to another; none where none do.
std::vector<Arrow> way(const std::vector<Arrow>& arrows, const std::string& from,
                       const std::string& to) {
  std::vector<std::vector<Arrow>> ways = {{}};
  std::set<std::string> seen = {from};
  for (size_t i = 0; i < ways.size(); ++i) {
    const std::string at = ways[i].empty() ? from : ways[i].back().to();
    if (at == to) return ways[i];
    for (const Arrow& arrow : arrows) {
      if (arrow.from() != at || !seen.insert(arrow.to()).second) continue;
      ways.push_back(ways[i]);
      ways.back().push_back(arrow);
    }
  }
  return {};
}

// Each arrow that leads to a folder above, or to or from one that is not in the list; with what
// closes the circle, if there is one.
std::vector<std::string> wrong_arrows(const std::vector<std::string>& folders,
                                      const std::vector<Arrow>& arrows) {
  const auto height = [&](const std::string& folder) {
    return std::find(folders.begin(), folders.end(), folder) - folders.begin();
  };
  const auto top = static_cast<std::ptrdiff_t>(folders.size());
  std::vector<std::string> out;
  for (const Arrow& arrow : arrows) {
    for (const std::string& folder : {arrow.from(), arrow.to()}) {
      if (height(folder) == top) out.push_back(arrow.text() + ": " + folder + " is no known room");
    }
    if (height(arrow.to()) == top || height(arrow.from()) >= height(arrow.to())) continue;
    out.push_back(arrow.text() + ", of a room above");
    for (const Arrow& back : way(arrows, arrow.to(), arrow.from()))
      out.back() += ", and " + back.text();
  }
  return out;
}

}  // namespace

TEST_CASE("a circle between rooms is told with the includes that close it", "[layout]") {
  const Arrow down = {"top/a.cpp", 3, "middle/b.h"}, further = {"middle/c.h", 1, "bottom/d.h"};
  const Arrow up = {"bottom/e.cpp", 7, "top/f.h"};
  const std::vector<std::string> folders = {"bottom", "middle", "top"};
  CHECK(wrong_arrows(folders, {down, further}).empty());
  CHECK(joined(wrong_arrows(folders, {up})) ==
        "bottom/e.cpp:7 includes top/f.h, of a room above\n");
  CHECK(joined(wrong_arrows(folders, {down, further, up})) ==
        "bottom/e.cpp:7 includes top/f.h, of a room above, and top/a.cpp:3 includes middle/b.h, "
        "and middle/c.h:1 includes bottom/d.h\n");
  CHECK(joined(wrong_arrows({"bottom"}, {{"bottom/a.h", 1, "attic/b.h"}})) ==
        "bottom/a.h:1 includes attic/b.h: attic is no known room\n");
}

TEST_CASE("a room includes itself and rooms below", "[layout]") {
  std::vector<std::string> folders;
  for (const Room& room : kRooms) folders.push_back(room.folder);
  CHECK(joined(wrong_arrows(folders, arrows())) == "");
}

TEST_CASE("rooms without torch reach no torch header", "[layout]") {
  std::vector<std::string> found;
  for (const std::string& file : sources_in("framework")) {
    const auto is_its_room = [&](const Room& room) { return room.folder == folder_of(file); };
    const auto room = std::find_if(kRooms.begin(), kRooms.end(), is_its_room);
    REQUIRE(room != kRooms.end());
    if (room->has_torch || kTorchHeaders.contains(file)) continue;
    std::set<std::string> seen = {file};
    find_torch(file, "", seen, found);
  }
  CHECK(joined(found) == "");
}

namespace {

// What a file defines at the level of a namespace that others can name: "vitrine::Task".
std::vector<std::string> types_in(const std::string& file) {
  static const std::regex opens(R"(^(?:inline )?namespace ([\w:]*) ?\{.*)");
  static const std::regex defines(R"(^(?:struct|class) (\w+)(?: final)?(?: : .*)?(?: \{.*)?$)");
  std::vector<std::string> inside, out;
  std::string before;
  for (const std::string& line : lines_of(file)) {
    std::smatch match;
    if (std::regex_match(line, match, opens)) {
      inside.push_back(match[1]);
    } else if (line.starts_with("}  // namespace")) {
      if (!inside.empty()) inside.pop_back();
    } else if (std::regex_match(line, match, defines) && line.ends_with("{") &&
               !before.starts_with("template <>") &&
               std::count(inside.begin(), inside.end(), "") == 0) {
      std::string name;
      for (const std::string& part : inside) name += part + "::";
      out.push_back(name + match[1].str());
    }
    before = line;
  }
  return out;
}

}  // namespace

// Two of a name share what the compiler makes of templates for them, across libraries: each then
// computes with the other's layout in memory.
TEST_CASE("no two types have one name", "[layout]") {
  std::map<std::string, std::set<std::string>> files;
  for (const std::string room : {"framework", "models", "datasets", "experiments"}) {
    for (const std::string& file : sources_in(room)) {
      for (const std::string& type : types_in(file)) files[type].insert(file);
    }
  }
  CHECK(files["vitrine::Task"] == std::set<std::string>{"framework/model/model_context.h"});
  std::vector<std::string> wrong;
  for (const auto& [type, where] : files) {
    if (where.size() < 2) continue;
    std::string all = type + ":";
    for (const std::string& file : where) all += " " + file;
    wrong.push_back(all);
  }
  CHECK(joined(wrong) == "");
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
       {"framework/training/run_metrics.cpp", "framework/training/metric.cpp",
        "framework/data/dataset.cpp", "framework/cli/predict.cpp", "framework/cli/plot_curves.cpp",
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
      {"softmax", {"framework/training/export_onnx.cpp"}},  // the operation
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
           (file == "framework/model/operations.cpp" ||
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
