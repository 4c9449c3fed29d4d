#include "framework/training/worst_images.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <regex>
#include <set>

#include "framework/files/descriptor.h"
#include "framework/files/file.h"
#include "framework/files/temporary_file.h"
#include "framework/images/encode.h"
#include "framework/images/planes.h"
#include "framework/runs/test_file.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

// For a file's name: other characters than letters, digits, dots and dashes become one "_".
std::string file_safe(const std::string& text) {
  constexpr size_t kMost = 40;
  std::string out;
  for (const char c : text) {
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                          (c >= '0' && c <= '9') || c == '.' || c == '-';
    if (is_plain) out += c;
    if (!is_plain && !out.ends_with('_')) out += '_';
    if (out.size() == kMost) break;
  }
  return out;
}

// The index of the image is in it: no name is ever that of two images of a run.
std::string name_of(const Json& image, size_t rank, const std::string& before) {
  return fmt::format("{}{:02}-{}-taken-for-{}-image-{}.png", before, rank,
                     file_safe(answer_text(image.at("target"))),
                     file_safe(answer_text(image.at("predicted"))),
                     image.at("index").get<int64_t>());
}

bool is_ours(const std::string& name) {
  static const std::regex ours(R"(.*\d\d-.*-taken-for-.*-image-\d+\.png)");
  return std::regex_match(name, ours);
}

// Takes its place in one step, but waits for no disk: 64 files would take longer than a small run.
// One that a power cut leaves empty is told where it is read.
void write(const Folder& folder, const std::string& name, const std::string& bytes) {
  const std::string temporary = "." + name + ".part";
  const int there = folder.descriptor();
  unlinkat(there, temporary.c_str(), 0);  // of one that was killed
  const Descriptor file = open_at(there, temporary, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW);
  const bool is_written = file.is_open() && write_all(file.get(), bytes) &&
                          renameat(there, temporary.c_str(), there, name.c_str()) == 0;
  if (is_written) return;
  const int code = errno;
  unlinkat(there, temporary.c_str(), 0);
  throw_write_error(folder / name, code);
}

void write_if_new(const Folder& folder, const std::string& name, const std::string& bytes) {
  const Place file = folder / name;
  if (exists(file)) {
    try {
      if (read_file(file, bytes.size()) == bytes) return;
    } catch (const Error&) {
      // What is no such file is written over.
    }
  }
  write(folder, name, bytes);
}

}  // namespace

void write_worst_images(const Folder& run, Json& tasks,
                        const std::map<std::string, Tensor>& images) {
  std::optional<Folder> folder;
  for (const auto& [task, tensor] : images) {
    const Tensor pixels = tensor.cpu().contiguous();
    const int64_t channels = pixels.size(1);
    if (channels != 1 && channels != 3) continue;
    // Photos take a quarter of the time so, and a third more bytes.
    const PngEffort effort = channels == 3 ? PngEffort::kQuick : PngEffort::kFull;
    Json& told = tasks.at(task).at("worst");
    for (int64_t i = 0; i < pixels.size(0); ++i) {
      if (!folder) folder = Folder::make(run / kWorstFolder);
      Json& one = told.at(static_cast<size_t>(i));
      const std::string name =
          name_of(one, static_cast<size_t>(i) + 1, tasks.size() == 1 ? "" : file_safe(task) + "-");
      write_if_new(*folder, name,
                   encode_png(image_of(pixels.const_data_ptr<uint8_t>() + i * pixels.stride(0),
                                       channels, pixels.size(2), pixels.size(3)),
                              effort));
      one["file"] = std::string(kWorstFolder) + "/" + name;
    }
  }
}

void remove_other_worst_images(const Folder& run, const Json& tasks) {
  const auto folder = Folder::find(run / kWorstFolder);
  if (!folder) return;
  std::set<std::string> named;
  for (const Json& task : tasks) {
    if (!task.contains("worst")) continue;
    for (const Json& image : task.at("worst")) {
      if (image.contains("file")) named.insert(worst_image(*folder, image).filename());
    }
  }
  for (const std::string& name : folder->names()) {
    if (is_ours(name) && !named.contains(name)) remove_file(*folder / name);
  }
  remove_temporaries(*folder);
}

}  // namespace vitrine
