#include "framework/runs/annotations.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>

#include <algorithm>
#include <cerrno>
#include <nlohmann/json.hpp>

#include "framework/error.h"
#include "framework/files/descriptor.h"
#include "framework/files/file.h"
#include "framework/runs/object_reader.h"

namespace vitrine {

namespace fs = std::filesystem;

namespace {

using Json = nlohmann::ordered_json;
using Names = std::vector<std::string>;

constexpr uint64_t kMostAnnotationBytes = uint64_t{16} << 20;
constexpr int64_t kAnnotationsFormat = 1;

Place file_of(const Folder& run) { return run / "annotations.json"; }

bool has(const Names& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

void put(Names& names, const std::string& name) {
  if (!has(names, name)) names.push_back(name);
}

// Held until the descriptor is closed.
Descriptor lock_annotations(const Folder& run) {
  const Place file = run / ".annotations.lock";
  Descriptor out = open_descriptor(file, O_RDWR | O_CREAT | O_NONBLOCK);
  if (!out.is_open()) throw_write_error(file, errno);
  while (::flock(out.get(), LOCK_EX) != 0) {
    // Where a file system has no locks, two who write at the same instant are rare.
    if (errno == ENOSYS || errno == ENOLCK || errno == EOPNOTSUPP || errno == EINVAL) break;
    if (errno != EINTR) throw_write_error(file, errno);
  }
  return out;
}

void apply(const LabelChange& change, const Labels& own, Annotations& annotations) {
  if (change.note) {
    const std::string before = annotations.over(own).note;
    const bool appends = change.appends && !before.empty();
    annotations.note = appends ? before + "\n" + *change.note : *change.note;
    annotations.note_before = own.note;
  }
  for (const std::string& tag : change.add) {
    std::erase(annotations.removed, tag);
    if (!has(own.tags, tag)) put(annotations.added, tag);
  }
  for (const std::string& tag : change.remove) {
    std::erase(annotations.added, tag);
    if (has(own.tags, tag)) put(annotations.removed, tag);
  }
}

}  // namespace

Annotations Annotations::read(const Folder& run) {
  const Place file = file_of(run);
  if (!exists(file)) return {};
  return parse(read_file(file, kMostAnnotationBytes), file.path().string());
}

Annotations Annotations::parse(std::string_view text, std::string_view name) {
  const Json object = parse_ordered_json(text, name);
  ObjectReader file(object, escape(name));
  const int64_t format = file.integer("format", 1);
  if (format != kAnnotationsFormat) {
    throw Error(ExitCode::kData, fmt::format("{}: this program reads format {}, this file has {}",
                                             file.place("format"), kAnnotationsFormat, format));
  }
  Annotations out;
  if (!file.at("note").is_null()) out.note = file.string("note");
  out.note_before = file.string("note_before");
  out.added = file.strings("tags_added");
  out.removed = file.strings("tags_removed");
  file.no_rest();
  return out;
}

std::string Annotations::text() const {
  const Json file = {{"format", kAnnotationsFormat},
                     {"note", note ? Json(*note) : Json()},
                     {"note_before", note_before},
                     {"tags_added", added},
                     {"tags_removed", removed}};
  return file.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

Labels Annotations::over(const Labels& own) const {
  Labels out = own;
  if (note && note_before == own.note) out.note = *note;
  std::erase_if(out.tags, [&](const std::string& tag) { return has(removed, tag); });
  for (const std::string& tag : added) put(out.tags, tag);
  return out;
}

Relabelled annotate(const fs::path& path, const Labels& own, const LabelChange& change) {
  const Folder run = Folder::open(path);
  const Descriptor lock = lock_annotations(run);
  Annotations annotations = Annotations::read(run);
  Relabelled out;
  out.before = annotations.over(own);
  apply(change, own, annotations);
  out.after = annotations.over(own);
  if (out.after != out.before) write_file_atomically(file_of(run), annotations.text());
  return out;
}

}  // namespace vitrine
