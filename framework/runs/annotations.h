#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "framework/files/place.h"

namespace vitrine {

// What people remember a run by.
struct Labels {
  std::string note;
  std::vector<std::string> tags;

  bool operator==(const Labels&) const = default;
};

// What was written about a run since it was started: annotations.json in its folder, a file of its
// own, because a run under way writes its metrics.json anew. It holds what differs from the labels
// of the run's config, so that those which a resume gives it count as well.
struct Annotations {
  std::optional<std::string> note;          // in the place of the config's
  std::string note_before;                  // which was this; one that is given later counts again
  std::vector<std::string> added, removed;  // tags

  // Reads those of a run's folder; nothing where there is no such file. Throws Error(kData), as
  // parse does.
  static Annotations read(const Folder& run);
  static Annotations read(const std::filesystem::path& run) { return read(Folder::open(run)); }
  static Annotations parse(std::string_view text, std::string_view name);
  std::string text() const;

  // The labels of a run whose config has `own`.
  Labels over(const Labels& own) const;
};

struct LabelChange {
  std::optional<std::string> note;
  bool appends = false;  // the note, as a line of its own
  std::vector<std::string> add, remove;
};

// Changes the annotations of a run whose config has the labels `own`; of several at once none is
// lost. Gives the labels before and after. Throws Error(kFailed) where the folder cannot be
// written, and Error(kData) as read does.
struct Relabelled {
  Labels before, after;
};
Relabelled annotate(const std::filesystem::path& run, const Labels& own, const LabelChange& change);

}  // namespace vitrine
