#pragma once

#include <concepts>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "framework/error.h"
#include "framework/files/descriptor.h"

namespace vitrine {

class Folder;

// Where a file lies: a path, or a name in a folder that is held open. The latter is found in that
// folder wherever it is moved to, and never by a link: what lies in a run's folder may have been
// put there by somebody else.
class Place {
 public:
  template <std::convertible_to<std::filesystem::path> P>
  Place(const P& path) : path_(path) {}  // NOLINT: a path is a place
  Place(const Folder& folder, const std::string& name);

  const std::filesystem::path& path() const { return path_; }  // as messages show it
  std::string shown() const;                                   // the same, escaped
  std::string filename() const { return path_.filename().string(); }
  Place beside(const std::string& name) const;  // in the same folder

  // A folder and a name in it, for calls such as openat.
  int folder() const;
  std::string name() const;
  bool is_held() const { return holder_ != nullptr; }

 private:
  std::shared_ptr<const Descriptor> holder_;
  std::filesystem::path path_;
};

// A folder that is held open by one descriptor, which copies share.
class Folder {
 public:
  // Throws Error(kData) where there is none or it cannot be opened.
  static Folder open(const Place& place);
  // Opens it; none where nothing of this name is there. Throws as open does for what is there and
  // no folder.
  static std::optional<Folder> find(const Place& place);
  // Makes it if needed, together with those above it, and has their entries on the disk. Throws
  // Error(kFailed).
  static Folder make(const Place& place);

  Place operator/(const std::string& name) const { return {*this, name}; }
  const std::filesystem::path& path() const { return path_; }  // by which it was opened
  std::filesystem::path location() const;                      // where it lies now
  bool is_removed() const;
  int descriptor() const { return holder_->get(); }

  // What is in it, sorted. Throws Error(kData).
  std::vector<std::string> names() const;
  void sync() const;  // its entries to the disk; Error(kFailed)

 private:
  friend class Place;
  Folder(Descriptor descriptor, std::filesystem::path path);

  std::shared_ptr<const Descriptor> holder_;
  std::filesystem::path path_;
};

// open(2) of a place; not open, with errno set, when it fails.
Descriptor open_descriptor(const Place& place, int flags);

// Whether a call to the system failed with this errno since there is nothing of the name.
bool is_missing(int code);

// Whether something of this name is there, be it a link. Throws Error(kData) where that cannot be
// told. Of a std::filesystem::path it must be asked as vitrine::exists.
bool exists(const Place& place);

// Whether a folder of this name is there, or a link to one. Throws as exists does.
bool is_folder(const Place& place);

// Removes a file. Throws Error(kFailed) where it is there still.
void remove_file(const Place& place);

// Removes a folder, if it is empty. Throws Error(kFailed) where that cannot be done.
void remove_empty_folder(const Place& place);

// Gives a file another name in its own folder, for good (the folder goes to the disk), in the place
// of what has that name. Throws Error(kFailed).
void rename_file(const Place& place, const std::string& name);

// Renames a file that is of no use as it is to NAME.damaged, or NAME.damaged-2 and so on, and gives
// the new name. Throws Error(kFailed).
std::string set_aside(const Place& place);

// The words for errno, with what it means for this place.
std::string reason_for(int code, const Place& place);

// "cannot read PATH: <the words for errno>", Error(kData); "cannot write PATH: ...",
// Error(kFailed).
[[noreturn]] void throw_read_error(const Place& place, int code);
[[noreturn]] void throw_write_error(const Place& place, int code);

}  // namespace vitrine
