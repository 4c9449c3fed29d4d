#include "framework/cli/pictures.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "framework/error.h"
#include "framework/files/file.h"
#include "framework/images/encode.h"
#include "framework/runs/run_directory.h"

namespace vitrine {

namespace fs = std::filesystem;

fs::path default_picture(const fs::path& place, const std::string& name) {
  return place.empty() || fs::is_regular_file(place)
             ? fs::path(name)
             : RunDirectory::open(place).plots().path() / name;
}

std::string picture_format(const fs::path& file, const std::vector<std::string>& formats) {
  refuse_file_of_run(file);
  std::string end = file.extension().string();
  for (char& c : end) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  if (std::find(formats.begin(), formats.end(), end) != formats.end()) return end;
  throw Error(ExitCode::kUsage,
              fmt::format("{}: what is written is told by the name's end, one of {}",
                          escape(file.string()), fmt::join(formats, ", ")));
}

std::string encode_picture(const Picture& picture, const std::string& format) {
  if (format == ".json") return to_json(picture);
  return format == ".svg" ? to_svg(picture) : encode_png(to_image(picture));
}

void write_plot(const fs::path& file, const std::string& bytes) {
  const fs::path folder = file.parent_path();
  std::error_code error;
  const bool is_ours =
      folder.filename() == "plots" && fs::is_directory(folder.parent_path(), error);
  if (!is_ours) return write_file_atomically(file, bytes);
  const Folder plots = Folder::make(Folder::open(folder.parent_path()) / "plots");
  write_file_atomically(plots / file.filename().string(), bytes);
}

}  // namespace vitrine
