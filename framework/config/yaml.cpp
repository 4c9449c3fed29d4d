#include "framework/config/yaml.h"

#include <fmt/format.h>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <map>
#include <sstream>

#include "framework/config/problems.h"
#include "framework/config/references.h"
#include "framework/config/scalar.h"
#include "framework/error.h"

namespace vitrine {
namespace {

constexpr size_t kMaxDepth = 64;
constexpr size_t kMaxNodes = 100'000;

std::vector<std::string> split_lines(std::string_view text) {
  std::vector<std::string> lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    if (line.ends_with('\r')) line.remove_suffix(1);
    lines.emplace_back(line);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

size_t count_nodes(const Node& node) {
  size_t count = 1;
  for (const Node& child : node.children) count += count_nodes(child);
  return count;
}

// Whether a quoted scalar at the beginning of `text`, behind its anchor or tag, has no end.
// yaml-cpp 0.7 takes one that the end of the file cuts off, and with it every line behind the
// quote.
bool is_open_quote(std::string_view text) {
  while (text.starts_with('&') || text.starts_with('!')) {
    text.remove_prefix(std::min(text.find_first_of(" \t\r\n"), text.size()));
    text.remove_prefix(std::min(text.find_first_not_of(" \t\r\n"), text.size()));
  }
  if (!text.starts_with('"') && !text.starts_with('\'')) return false;
  const char quote = text.front();
  for (size_t i = 1; i < text.size(); ++i) {
    if (quote == '"' && text[i] == '\\') {
      ++i;
    } else if (text[i] == quote) {
      if (quote == '"' || i + 1 == text.size() || text[i + 1] != quote) return false;
      ++i;
    }
  }
  return true;
}

// Builds the tree from yaml-cpp's events: they carry marks, and aliases arrive unexpanded.
class TreeBuilder : public YAML::EventHandler {
 public:
  // `text` is what is parsed; it begins at byte `column` of the source's first line.
  // `is_value`: of the command line, without anchors.
  TreeBuilder(std::string_view text, std::shared_ptr<const Source> source, size_t column,
              bool is_value)
      : text_(text),
        source_(std::move(source)),
        column_(static_cast<int>(column)),
        is_value_(is_value) {}

  Node take() { return std::move(root_); }
  Location location(const YAML::Mark& mark) const {
    return {source_, std::max(mark.line, 0),
            std::max(mark.column, 0) + (mark.line <= 0 ? column_ : 0)};
  }
  // The innermost list or mapping that is not complete.
  const Node* innermost() const { return open_.empty() ? nullptr : &open_.back().node; }

  void OnDocumentStart(const YAML::Mark&) override {}
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    Node null = Node::null();
    const auto at = static_cast<size_t>(std::max(mark.pos, 0));
    if (at < text_.size() && text_[at] == '~') null.scalar = "~";  // of a path, the home folder
    add(std::move(null), mark, anchor);
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    check_tag(mark, tag);
    // An escape such as "\_" becomes a lone byte in yaml-cpp 0.7.
    if (!is_utf8(value) || value.find('\0') != value.npos) {
      refuse(location(mark), "an escape in this text stands for no letter");
    }
    const bool quoted = tag == "!";
    if (quoted && is_open_quote(text_.substr(
                      std::min(static_cast<size_t>(std::max(mark.pos, 0)), text_.size())))) {
      refuse(location(mark), "this is not YAML: a quote is not closed");
    }
    Node node = !quoted && is_null_word(value) ? Node::null()
                : quoted                       ? Node::string(value)
                                               : Node::plain(value);
    if (!quoted && value == "~") node.scalar = value;
    note_references(node);
    add(std::move(node), mark, anchor);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    check_anchor(mark, anchor);
    open(Node::sequence({}), mark, anchor);
  }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    check_tag(mark, tag);
    check_anchor(mark, anchor);
    open(Node::mapping(), mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapEnd() override { close(); }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    check_anchor(mark, anchor);
    const auto known = anchors_.find(anchor);
    if (known == anchors_.end())
      refuse(location(mark), "this alias stands inside the value that it repeats");
    Node copy = known->second;
    copy.key.clear();
    count(count_nodes(copy), mark);
    place(std::move(copy), mark);
  }

 private:
  struct Open {
    Node node;
    YAML::anchor_t anchor;
    bool has_key = false;
    std::string key;
    Location key_location;
    std::map<std::string, Location>
        keys;  // where each stands; a search of the children would be quadratic
  };

  void check_tag(const YAML::Mark& mark, const std::string& tag) const {
    if (tag.empty() || tag == "?" || tag == "!") return;
    refuse(location(mark), "the tag " + escape(tag) + " has no meaning in a config",
           "write the value alone");
  }
  void check_anchor(const YAML::Mark& mark, YAML::anchor_t anchor) const {
    if (!is_value_ || anchor == 0) return;
    refuse(location(mark), "anchors (&) and aliases (*) have no meaning on the command line",
           "a text that begins so is put in quotes");
  }
  void count(size_t nodes, const YAML::Mark& mark) {
    nodes_ += nodes;
    if (nodes_ > kMaxNodes) {
      refuse(
          location(mark),
          fmt::format("more than {} values, counting what anchors and aliases repeat", kMaxNodes));
    }
  }
  void add(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    check_anchor(mark, anchor);
    count(1, mark);
    node.location = location(mark);
    if (anchor) anchors_[anchor] = node;
    place(std::move(node), mark);
  }
  void open(Node node, const YAML::Mark& mark, YAML::anchor_t anchor) {
    count(1, mark);
    if (open_.size() == kMaxDepth)
      refuse(location(mark), fmt::format("nested deeper than {} levels", kMaxDepth));
    node.location = location(mark);
    if (!open_.empty() && open_.back().node.is_mapping() && !open_.back().has_key) refuse_key(mark);
    open_.push_back({std::move(node), anchor, false, {}, {}, {}});
  }
  void close() {
    Open done = std::move(open_.back());
    open_.pop_back();
    if (done.anchor) {
      count(count_nodes(done.node), YAML::Mark::null_mark());  // it is kept twice
      anchors_[done.anchor] = done.node;
    }
    place(std::move(done.node), YAML::Mark::null_mark());
  }
  [[noreturn]] void refuse_key(const YAML::Mark& mark) const {
    refuse(location(mark), "a key must be a plain name", "write it as key: value");
  }
  void place(Node node, const YAML::Mark& mark) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == Node::Kind::kSequence) {
      parent.node.children.push_back(std::move(node));
    } else if (!parent.has_key) {
      take_key(parent, node, mark);
    } else {
      parent.has_key = false;
      // The parser places "nothing" at what comes next.
      if (node.kind == Node::Kind::kNull && node.location.line != parent.key_location.line) {
        node.location = parent.key_location;
      }
      node.key = std::move(parent.key);
      node.key_location = parent.key_location;
      parent.node.children.push_back(std::move(node));
    }
  }
  void take_key(Open& parent, const Node& node, const YAML::Mark& mark) const {
    if (node.kind != Node::Kind::kScalar) refuse_key(mark);
    if (node.scalar == "<<" && !node.quoted) {
      refuse(node.location, "merge keys (<<) are not supported",
             "base: FILE inherits from another file");
    }
    const auto [first, fresh] = parent.keys.emplace(node.scalar, node.location);
    if (!fresh) {
      refuse(node.location,
             fmt::format("the key \"{}\" stands here a second time", escape(node.scalar)),
             "first at " + first->second.text());
    }
    parent.has_key = true;
    parent.key = node.scalar;
    parent.key_location = node.location;
  }

  std::string_view text_;
  std::shared_ptr<const Source> source_;
  int column_;
  bool is_value_;
  Node root_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Node> anchors_;
  size_t nodes_ = 0;
};

bool is_forbidden_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && c != '\t' && c != '\n' && c != '\r') || byte == 0x7F;
}

struct Words {
  std::string message, hint;
};

// What yaml-cpp says, in a newcomer's terms.
Words syntax_words(const std::string& message, const std::string& line) {
  const size_t indent = std::min(line.find_first_not_of(" \t"), line.size());
  if (line.substr(0, indent).find('\t') != line.npos)
    return {"a tab in the indentation", "indent with spaces"};
  if (message == "illegal map value") {
    return {
        "a colon where none can stand",
        "check the indentation; a colon needs a space behind it, a text with \": \" needs quotes"};
  }
  if (message == "unknown token")
    return {"a letter that begins no value", "a text that begins with @, ` or % needs quotes"};
  if (message.find("illegal EOF in scalar") != message.npos) return {"a quote is not closed", ""};
  constexpr std::string_view kNoAnchor = "the referenced anchor is not defined";
  if (message.starts_with(kNoAnchor)) return {std::string(kNoAnchor), ""};  // 0.8 adds its name
  return {escape(message), ""};
}

[[noreturn]] void refuse_syntax(const TreeBuilder& builder, const YAML::Exception& error) {
  const Node* open = builder.innermost();
  if (open && error.msg.ends_with("flow not found")) {
    const bool list = open->kind == Node::Kind::kSequence;
    refuse(open->location,
           std::string("this is not YAML: the bracket ") + (list ? "[" : "{") + " is not closed");
  }
  const Location place = builder.location(error.mark);
  const auto& lines = place.source->lines;
  const std::string line =
      static_cast<size_t>(place.line) < lines.size() ? lines[static_cast<size_t>(place.line)] : "";
  const auto [message, hint] = syntax_words(error.msg, line);
  refuse(place, "this is not YAML: " + message, hint);
}

// Behind a complete value only a new document can follow; mostly it is a line that is indented less
// than the first.
[[noreturn]] void refuse_second_document(const Location& first, const Location& second) {
  const auto& lines = second.source->lines;
  for (int i = first.line; i <= second.line && static_cast<size_t>(i) < lines.size(); ++i) {
    if (i > first.line && lines[static_cast<size_t>(i)].starts_with("---")) {
      refuse(second, "a second document starts here; a config is one document");
    }
  }
  refuse(second, "this does not belong to what stands above", "check the indentation");
}

Node parse_document(std::string_view text, const std::shared_ptr<const Source>& source,
                    size_t column, bool is_value) {
  TreeBuilder builder(text, source, column, is_value);
  std::istringstream stream(std::string(text) +
                            "\n");  // so that it is we who find an open quote, at its place
  try {
    YAML::Parser parser(stream);
    if (!parser.HandleNextDocument(builder)) {
      Node empty = Node::mapping();
      empty.location = {source, 0, static_cast<int>(column)};
      return empty;
    }
    Node root = builder.take();
    TreeBuilder rest(text, source, column, is_value);
    if (parser.HandleNextDocument(rest))
      refuse_second_document(root.location, rest.take().location);
    return root;
  } catch (const YAML::Exception& error) {
    refuse_syntax(builder, error);
  }
}

}  // namespace

void check_text(const std::shared_ptr<const Source>& source) {
  for (size_t i = 0; i < source->lines.size(); ++i) {
    const std::string& line = source->lines[i];
    if (line.find('\0') != line.npos) {
      throw Error(ExitCode::kUsage,
                  escape(source->name) + ": holds a NUL byte; this is not a text file");
    }
  }
  for (size_t i = 0; i < source->lines.size(); ++i) {
    const std::string& line = source->lines[i];
    if (!is_utf8(line))
      refuse({source, static_cast<int>(i), 0}, "not valid UTF-8", "save the file as UTF-8 text");
    const auto control = std::find_if(line.begin(), line.end(), is_forbidden_control);
    if (control != line.end()) {
      refuse({source, static_cast<int>(i), static_cast<int>(control - line.begin())},
             "a control character",
             "in a quoted text it is written as an escape such as \"\\x1b\"");
    }
  }
}

Node parse_yaml_value(std::string_view text, const std::shared_ptr<const Source>& source,
                      size_t column) {
  return parse_document(text, source, column, /*is_value=*/true);
}

Node parse_yaml(std::string_view text, std::string_view name) {
  if (text.size() > kMaxConfigBytes) {
    throw Error(ExitCode::kUsage,
                escape(name) + ": larger than 1 MiB, the most that a config may have");
  }
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);  // a byte order mark
  auto source = std::make_shared<Source>();
  source->name = name;
  source->lines = split_lines(text);
  check_text(source);
  return parse_document(text, source, 0, /*is_value=*/false);
}

}  // namespace vitrine
