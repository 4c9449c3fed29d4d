#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "framework/config/fields.h"
#include "framework/config/load.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

// Words that other readers take for booleans.
bool is_old_boolean(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  static constexpr std::string_view kWords[] = {"y", "n", "yes", "no", "on", "off"};
  return std::find(std::begin(kWords), std::end(kWords), text) != std::end(kWords);
}

// A text that our reader and others (which know dates and octal numbers) take for itself without
// quotes.
bool is_safe_plain(const std::string& text) {
  const auto letter = [](unsigned char c) {
    return std::isalnum(c) || c == '_' || c == '/' || c == '.';
  };
  const auto inner = [&](unsigned char c) { return letter(c) || c == '-' || c == '+' || c == ' '; };
  if (text.empty() || !letter(static_cast<unsigned char>(text.front())) || text.back() == ' ')
    return false;
  if (!std::all_of(text.begin(), text.end(), inner)) return false;
  const bool like_number = !std::isalpha(static_cast<unsigned char>(text.front())) &&
                           text.front() != '/' && text.front() != '_';
  if (like_number && text.find(' ') == text.npos) return false;
  return !parse_number(text) && !parse_bool(text) && !is_null_word(text) && !is_old_boolean(text);
}

std::string scalar_yaml(const Node& node) {
  if (node.kind == Node::Kind::kNull) return "null";
  const bool is_value = !node.quoted && (parse_number(node.scalar) || parse_bool(node.scalar) ||
                                         is_range_text(node.scalar));
  if (is_value || is_safe_plain(node.scalar)) return node.scalar;
  std::string text;
  for (char c : written_text(node)) {
    if (c == '"' || c == '\\') text += '\\';
    text += c;
  }
  return '"' + escape(text) + '"';  // the escapes of messages are those of YAML
}

bool is_leaf(const Node& node) {
  return node.kind == Node::Kind::kNull || node.kind == Node::Kind::kScalar;
}

// Fits on one line: a list of scalars, or what is empty.
bool is_flow(const Node& node) {
  if (node.children.empty()) return true;
  return node.kind == Node::Kind::kSequence &&
         std::all_of(node.children.begin(), node.children.end(), is_leaf);
}

class Writer {
 public:
  explicit Writer(const std::function<std::string(const std::string&)>& comment)
      : comment_(comment) {}

  void mapping(const Node& node, const std::string& path, size_t indent,
               bool first_inline = false) {
    for (const Node& child : node.children) {
      if (!first_inline) out_.append(indent, ' ');
      first_inline = false;
      out_ += scalar_yaml(Node::string(child.key)) + (child.appends ? "+:" : ":");
      value(child, join_path(path, child.key), indent);
    }
  }
  std::string take() { return std::move(out_); }

 private:
  void value(const Node& node, const std::string& path, size_t indent) {
    if (is_flow(node)) {
      const std::string remark = comment_ ? comment_(path) : "";
      out_ += " " + to_flow_yaml(node);
      if (!remark.empty()) out_ += "  # " + remark;
      out_ += "\n";
    } else if (node.is_mapping()) {
      out_ += "\n";
      mapping(node, path, indent + 2);
    } else {
      out_ += "\n";
      for (size_t i = 0; i < node.children.size(); ++i)
        item(node.children[i], join_path(path, std::to_string(i)), indent + 2);
    }
  }
  void item(const Node& node, const std::string& path, size_t indent) {
    out_.append(indent, ' ');
    if (node.is_mapping() && !node.children.empty()) {
      out_ += "- ";
      mapping(node, path, indent + 2, true);
    } else {
      out_ += "-";
      value(node, path, indent);
    }
  }

  const std::function<std::string(const std::string&)>& comment_;
  std::string out_;
};

}  // namespace

std::string to_flow_yaml(const Node& node) {
  if (is_leaf(node)) return scalar_yaml(node);
  std::string out;
  for (const Node& child : node.children) {
    if (!out.empty()) out += ", ";
    if (node.is_mapping())
      out += scalar_yaml(Node::string(child.key)) + (child.appends ? "+: " : ": ");
    out += to_flow_yaml(child);
  }
  return node.is_mapping() ? "{" + out + "}" : "[" + out + "]";
}

std::string to_commented_yaml(const Node& resolved,
                              const std::function<std::string(const std::string&)>& comment) {
  Writer writer(comment);
  writer.mapping(resolved, "", 0);
  return writer.take();
}

std::string to_yaml(const Node& node) { return to_commented_yaml(node, {}); }

}  // namespace vitrine
