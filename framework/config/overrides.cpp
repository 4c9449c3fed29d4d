#include <fmt/format.h>

#include <algorithm>

#include "framework/config/hints.h"
#include "framework/config/load.h"
#include "framework/config/problems.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

// A value that is to be put into a config.
struct Given {
  Location begin;  // of the path, or of its end where only that is written as one
  const std::string& path;
  const Node& config;
  const KeysOf& keys_of;
  size_t unwritten = 0;  // bytes of the path before that end

  Location at(size_t byte) const {
    Location out = begin;
    out.column += static_cast<int>(std::max(byte, unwritten) - unwritten);
    return out;
  }
  // What may be meant by a path that leads nowhere.
  std::string hint(const std::string& usual) const {
    if (!keys_of) return usual;
    const std::string meant = did_you_mean(path, meant_by(path, keys_of(config)));
    return meant.empty() ? usual : escape(meant);
  }
};

// {a: {b: value}} for the path "a.b" that begins `start` bytes behind that of `given`.
Node nested(const Given& given, std::string_view path, size_t start, Node value) {
  for (;;) {
    const size_t dot = path.rfind('.');
    const size_t last = dot == path.npos ? 0 : dot + 1;
    Node outer = Node::mapping();
    outer.location = given.at(start);
    value.key_location = given.at(start + last);
    outer.set(std::string(path.substr(last)), std::move(value));
    if (last == 0) return outer;
    value = std::move(outer);
    path = path.substr(0, dot);
  }
}

// A number in a path addresses an item of a list that is there.
void refuse_item_without_list(const Given& given, std::string_view path, size_t start) {
  for (size_t begin = 0; begin < path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    const std::string_view part = path.substr(begin, dot - begin);
    if (parse_integer(part)) {
      refuse(given.at(start + begin),
             fmt::format("there is no list whose item {} could be set", part),
             given.hint("set the list as a whole, in brackets"));
    }
    begin = dot + 1;
  }
}

// Puts `value` below `target`, at the rest of the path that begins `start` bytes behind its start.
void put(const Given& given, Node& target, std::string_view path, size_t start, Node value) {
  const size_t dot = std::min(path.find('.'), path.size());
  const std::string part(path.substr(0, dot));
  const std::string_view rest = path.substr(std::min(dot + 1, path.size()));
  if (target.kind == Node::Kind::kSequence) {
    const auto index = parse_integer(part);
    const size_t size = target.children.size();
    if (!index || *index < 0 || static_cast<size_t>(*index) >= size) {
      refuse(
          given.at(start), fmt::format("\"{}\" is no item of this list", escape(part)),
          given.hint(size ? fmt::format("its items are 0 to {}", size - 1) : "the list is empty"));
    }
    Node& item = target.children[static_cast<size_t>(*index)];
    if (rest.empty()) {
      item = merge(std::move(item), std::move(value));
    } else {
      put(given, item, rest, start + dot + 1, std::move(value));
    }
    return;
  }
  // Down to a list: its items are addressed in place. Anything else is a layer that is merged in.
  Node* below = target.find(part);
  if (below && !rest.empty() && (below->kind == Node::Kind::kSequence || below->is_mapping())) {
    put(given, *below, rest, start + dot + 1, std::move(value));
    return;
  }
  refuse_item_without_list(given, path, start);
  Node layer = nested(given, path, start, std::move(value));
  if (target.location) layer.location = target.location;
  const std::string key = target.key;
  const Location key_location = target.key_location;
  const bool is_whole = &target == &given.config && target.is_mapping();
  target = (is_whole ? merge_keys : merge)(std::move(target), std::move(layer));
  target.key = key;
  target.key_location = key_location;
}

char letter_at(const Location& place) {
  const auto line = static_cast<size_t>(place.line), column = static_cast<size_t>(place.column);
  const auto& lines = place.source->lines;
  return line < lines.size() && column < lines[line].size() ? lines[line][column] : '\0';
}

}  // namespace

void set_value(Node& config, const std::string& path, Node value) {
  Location begin = value.key_location ? value.key_location : Location{value.location.source, 0, 0};
  const char first = value.key_location ? letter_at(begin) : '\0';
  if (first == '"' || first == '\'') ++begin.column;
  const KeysOf nobody;
  const bool is_end = !value.key.empty() && path.ends_with("." + value.key);
  const size_t unwritten = is_end ? path.size() - value.key.size() : 0;
  put({begin, path, config, nobody, unwritten}, config, path, 0, std::move(value));
}

void apply_override(Node& config, const std::string& text, const KeysOf& keys_of) {
  const Assignment assignment(text);
  if (assignment.size() > 1 || is_range_text(assignment.text(0))) {
    refuse(assignment.value_place(0),
           fmt::format("{}: several values make a sweep: runner sweep CONFIG {}",
                       escape(assignment.path()), escape(text)),
           "a list is written in brackets, [a, b], and a text with a comma or dots in quotes");
  }
  put({assignment.place(0), assignment.path(), config, keys_of}, config, assignment.path(), 0,
      assignment.value(0));
}

ptrdiff_t depth_of(const std::string& path) {
  return std::count(path.begin(), path.end(), '.') - (path.ends_with(".type") ? 1 : 0);
}

std::string short_name(const std::string& path, const std::vector<std::string>& paths) {
  const auto last_part = [](const std::string& of) {
    size_t dot = of.rfind('.');
    // An item of a list is called by the list: "betas.1".
    if (dot != of.npos && dot > 0 && parse_integer(of.substr(dot + 1)))
      dot = of.rfind('.', dot - 1);
    return of.substr(dot == of.npos ? 0 : dot + 1);
  };
  const std::string last = last_part(path);
  const bool alone = std::none_of(paths.begin(), paths.end(), [&](const std::string& other) {
    return other != path && last_part(other) == last;
  });
  return alone ? last : path;
}

}  // namespace vitrine
