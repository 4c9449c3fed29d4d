#pragma once

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cctype>
#include <optional>
#include <string>
#include <vector>

#include "framework/config/fields.h"
#include "framework/error.h"

// Which arrays of a file are a data set's, by the names that people give them: x_train,
// train_images, X_test, test/labels.
namespace vitrine {

inline const std::vector<std::string>& image_words() {
  static const std::vector<std::string> words = {"x",    "images",   "image", "imgs",
                                                 "data", "features", "pixels"};
  return words;
}
inline const std::vector<std::string>& label_words() {
  static const std::vector<std::string> words = {"y",       "labels", "label",
                                                 "targets", "target", "classes"};
  return words;
}
inline const std::vector<std::string>& train_words() {
  static const std::vector<std::string> words = {"train", "training"};
  return words;
}
inline const std::vector<std::string>& test_words() {
  static const std::vector<std::string> words = {"test", "testing", "t10k"};
  return words;
}
inline const std::vector<std::string>& validation_words() {
  static const std::vector<std::string> words = {"val", "valid", "validation", "dev"};
  return words;
}

// Letters in lower case, and digits.
inline std::string letters_of(const std::string& name) {
  std::string out;
  for (const char c : name) {
    if (std::isalnum(static_cast<unsigned char>(c)))
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

// Whether a name is that of one of the sets and one of the roles, in either order. No words of
// sets: the role alone.
inline bool is_named(const std::string& name, const std::vector<std::string>& sets,
                     const std::vector<std::string>& roles) {
  const std::string letters = letters_of(name);
  for (const std::string& role : roles) {
    if (sets.empty() && letters == role) return true;
    for (const std::string& set : sets) {
      if (letters == set + role || letters == role + set) return true;
    }
  }
  return false;
}

// The number of the array that is wanted: that called `given`, else the one whose name is usual;
// nothing where there is none. Throws Error(kData), which begins with `file`, where `given` is not
// there, or several may be meant; `option` is what would choose.
inline std::optional<size_t> find_array(const std::vector<std::string>& names,
                                        const std::string& given, const char* option,
                                        const std::vector<std::string>& sets,
                                        const std::vector<std::string>& roles,
                                        const std::string& file) {
  std::vector<size_t> found;
  for (size_t i = 0; i < names.size(); ++i) {
    if (given.empty() ? is_named(names[i], sets, roles) : names[i] == given) found.push_back(i);
  }
  if (!given.empty() && found.empty()) {
    refuse_data(
        file,
        fmt::format("has no array {}; it has {}", escape(given),
                    names.empty() ? "none" : escape(fmt::format("{}", fmt::join(names, ", ")))));
  }
  if (found.size() > 1) {
    refuse_data(file, fmt::format("{} and {} may be meant: say which by {}",
                                  escape(names[found[0]]), escape(names[found[1]]), option));
  }
  return found.empty() ? std::nullopt : std::optional(found[0]);
}

// The arrays that a data set is made of, chosen by their names.
struct ArrayNames {
  std::string train_images, train_labels, test_images, test_labels, validation_images,
      validation_labels;

  void visit(Fields& field) {
    const auto add = [&](const char* name, std::string& value, const char* help) {
      field(name, value, help);
    };
    add("train_images", train_images,
        "the array with them; usual names (x_train, train_images, ...) are found by themselves");
    add("train_labels", train_labels, "the array with them (y_train, train_labels, ...)");
    add("test_images", test_images, "the array with them (x_test, test_images, ...)");
    add("test_labels", test_labels, "the array with them (y_test, test_labels, ...)");
    add("validation_images", validation_images,
        "the array with them (x_val, val_images, ...); a validation split of the file's own");
    add("validation_labels", validation_labels, "the array with them (y_val, val_labels, ...)");
  }
};

}  // namespace vitrine
