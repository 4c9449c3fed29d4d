#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vitrine {

// A text that values come from: a file, or one argument of the command line.
struct Source {
  std::string name;
  std::vector<std::string> lines;
};

// A place in a source: line and byte within it, from 0. Without a source: nowhere (a default).
struct Location {
  std::shared_ptr<const Source> source;
  int line = 0;
  int column = 0;

  explicit operator bool() const { return source != nullptr; }
  std::string text() const;       // "a.yaml:12:15", counted in letters from 1; or "a default"
  std::string line_text() const;  // "a.yaml:12", "command line", or "a default"
};

// One value of a config with the place where it was written.
struct Node {
  enum class Kind { kNull, kScalar, kSequence, kMapping };

  Kind kind = Kind::kNull;
  std::string scalar;          // of kScalar
  bool quoted = false;         // a scalar that is a string whatever it looks like
  std::vector<Node> children;  // items of kSequence; values of kMapping, each with its key
  std::string key;
  Location key_location;
  Location location;
  bool appends = false;  // a list that is put behind the one of the base, or behind the default
  std::string refers;    // a text with "${KEY}" that the value is still to be made of
  std::string from;      // the text with "${...}" that the value was made of
  // Entries that were written beside no `type`, under a later layer that names one: they hold only
  // if that type is the default (see merge). Whoever knows the default sets the flag, so that their
  // origin can be told.
  std::vector<Node> under_default_type;
  mutable bool holds_under_default_type = false;
  // What earlier layers said of a component whose `type` a later layer changed.
  std::shared_ptr<const Node> replaced;

  static Node null();
  static Node plain(std::string text);
  static Node string(std::string text);
  static Node sequence(std::vector<Node> items);
  static Node mapping();

  bool is_mapping() const { return kind == Kind::kMapping; }
  const Node* find(std::string_view key) const;  // nullptr where there is none
  Node* find(std::string_view key);
  const Node* at_path(std::string_view dotted) const;  // list items by number: "transforms.0"
  Node& set(const std::string& key, Node value);       // replaces or appends
  bool erase(std::string_view key);                    // of a mapping

  // What a message calls this value: `"fast"`, `8`, `a list`, `a mapping`, `nothing`.
  std::string shown() const;
  nlohmann::ordered_json json() const;
  static Node from_json(const nlohmann::ordered_json& value);
};

// The number of letters (code points) of UTF-8 text.
size_t count_letters(std::string_view text);
// The byte at which letter `n` (from 0) begins; the length of `text` where there are fewer.
size_t byte_of_letter(std::string_view text, size_t n);

// A text as a file has it: what refers to other values as it was written, "$${" for a literal "${".
std::string written_text(const Node& scalar);

// `node` as YAML that parse_yaml reads back to the same values; ends in a newline.
std::string to_yaml(const Node& node);
// One value on one line, as it would follow "key: ".
std::string to_flow_yaml(const Node& node);

}  // namespace vitrine
