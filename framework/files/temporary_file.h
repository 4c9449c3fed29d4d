#pragma once

#include <string>
#include <string_view>

#include "framework/files/place.h"

namespace vitrine {

// A file that is written beside `destination` and takes its place in one step, or vanishes. Every
// failure is an Error(kFailed) "cannot write <destination>: <reason>".
class TemporaryFile {
 public:
  explicit TemporaryFile(const Place& destination);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile();  // deletes the temporary if it was not committed

  void write(std::string_view bytes);
  void commit();  // fsync, rename, fsync of the folder
  std::filesystem::path path() const { return destination_.path().parent_path() / name_; }

 private:
  Place destination_;
  Descriptor folder_;  // that of the destination, wherever it is moved to meanwhile
  std::string name_;   // in it; empty once it was renamed
  Descriptor file_;
};

// Deletes temporaries of this destination whose processes are gone: in a folder that others may be
// writing to. Nothing is thrown.
void remove_forgotten(const Place& destination);

// Deletes all temporaries of this destination, which nobody else may be writing. Throws Error.
void remove_temporaries_of(const Place& destination);

// Deletes what atomic writes and downloads left in `folder` when their process was killed; nothing
// where there is no such folder. Only for a folder that nobody else is writing to.
void remove_temporaries(const Place& folder);
void remove_temporaries(const Folder& folder);

}  // namespace vitrine
