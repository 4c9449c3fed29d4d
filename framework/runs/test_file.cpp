#include "framework/runs/test_file.h"

#include <fmt/format.h>

#include "framework/error.h"
#include "framework/files/file.h"

namespace vitrine {

std::string answer_text(const nlohmann::ordered_json& answer) {
  if (answer.is_string()) return answer.get<std::string>();
  std::string out;
  for (const auto& [name, value] : answer.items()) {
    out += out.empty() ? "" : ", ";
    out += fmt::format("{}{:.4g}", answer.size() == 1 ? "" : name + " ", value.get<double>());
  }
  return out;
}

Place worst_image(const Folder& folder, const nlohmann::ordered_json& entry) {
  const std::string file = entry.at("file"), before = std::string(kWorstFolder) + "/";
  const std::string name = file.starts_with(before) ? file.substr(before.size()) : "";
  if (name.empty() || name.starts_with('.') ||
      name.find_first_of(std::string("/\0", 2)) != name.npos) {
    throw Error(ExitCode::kData, fmt::format("{}: expected a picture in {}", escape(file), before));
  }
  return folder / name;
}

std::string read_worst_image(const std::filesystem::path& run,
                             const nlohmann::ordered_json& entry) {
  constexpr uint64_t kMostBytes = uint64_t{64} << 20;
  constexpr std::string_view kEnd("\0\0\0\0IEND\xae\x42\x60\x82", 12);
  const Place file = worst_image(Folder::open(Folder::open(run) / kWorstFolder), entry);
  std::string bytes = read_file(file, kMostBytes);
  if (!bytes.starts_with("\x89PNG") || !bytes.ends_with(kEnd))
    refuse_data(file.shown(), "is no whole PNG; a power cut may have cut it off");
  return bytes;
}

}  // namespace vitrine
