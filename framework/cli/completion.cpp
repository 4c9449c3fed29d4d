#include "framework/cli/completion.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <optional>

#include "framework/cli/config_words.h"
#include "framework/cli/known_words.h"
#include "framework/cli/path_words.h"
#include "framework/cli/terminal.h"
#include "framework/config/load.h"
#include "framework/files/paths.h"

namespace vitrine {
namespace {

using Words = std::vector<std::string>;
using Offered = std::vector<Candidate>;

void offer(const std::string& begun, const std::string& word, const std::string& help,
           Offered& out) {
  if (word.starts_with(begun)) out.push_back({word, help});
}

void offer_all(Offered more, Offered& out) {
  out.insert(out.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Those of a kind that begin like `begun`, which has `before` in it.
void offer_components(const std::string& kind, const std::string& before, const std::string& begun,
                      Offered& out) {
  const auto& all = known_words().at("components");
  const auto found = all.find(kind);
  if (found == all.end()) return;
  for (const auto& [name, help] : found->items())
    offer(begun, before + name, help.get<std::string>(), out);
}

std::vector<const CLI::App*> verbs_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

const CLI::App* verb_named(const CLI::App& app, const std::string& name) {
  for (const CLI::App* verb : verbs_of(app)) {
    if (verb->get_name() == name) return verb;
  }
  return nullptr;
}

bool is_option(const std::string& word) { return word.size() > 1 && word[0] == '-'; }

// A line of words, the last of which is begun.
class Line {
 public:
  Line(const CLI::App& program, Words words) : program_(program), begun_(std::move(words.back())) {
    words.pop_back();
    read_verb(words);
    read_rest(words);
  }

  Offered candidates() const;

 private:
  void read_verb(Words& words);
  void read_rest(const Words& words);
  const CLI::Option* option_named(const std::string& word) const;
  std::string slot() const;
  Node config() const;

  void offer_verbs(const CLI::App& app, Offered& out) const;
  void offer_options(Offered& out) const;
  void offer_value_of(const CLI::Option& option, const std::string& before, Offered& out) const;
  void offer_keys(Offered& out) const;
  void offer_place(Offered& out) const;

  const CLI::App& program_;
  std::string begun_;
  const CLI::App* verb_ = nullptr;     // none: the first word is the one that is begun
  const CLI::Option* open_ = nullptr;  // waits for its value
  bool only_places_ = false;           // behind "--"
  Words places_;                       // words that are no options
};

void Line::read_verb(Words& words) {
  const auto first = std::find_if_not(words.begin(), words.end(), is_option);
  if (first == words.end()) return;
  verb_ = verb_named(program_, *first);
  const size_t count = verb_ ? first - words.begin() + 1 : 0;
  if (!verb_) verb_ = verb_named(program_, "train");  // which may be left out
  words.erase(words.begin(), words.begin() + static_cast<ptrdiff_t>(count));
  if (words.empty()) return;
  if (const CLI::App* inner = verb_named(*verb_, words[0])) {
    verb_ = inner;
    words.erase(words.begin());
  }
}

void Line::read_rest(const Words& words) {
  if (!verb_) return;
  for (const std::string& word : words) {
    const bool is_value = open_ != nullptr;
    open_ = nullptr;
    if (is_value) continue;
    if (only_places_ || !is_option(word)) {
      places_.push_back(word);
    } else if (word == "--") {
      only_places_ = true;
    } else if (word.find('=') == word.npos) {
      const CLI::Option* option = option_named(word);
      if (option && option->get_items_expected_max() > 0) open_ = option;
    }
  }
}

const CLI::Option* Line::option_named(const std::string& word) const {
  for (const CLI::Option* option : verb_->get_options()) {
    for (const std::string& name : option->get_lnames()) {
      if (word == "--" + name) return option;
    }
    for (const std::string& name : option->get_snames()) {
      if (word == "-" + name) return option;
    }
  }
  return nullptr;
}

// What the help calls the word that is begun: "CONFIG", "OVERRIDE", ...
std::string Line::slot() const {
  std::string out;
  size_t before = places_.size();
  for (const CLI::Option* option : verb_->get_options()) {
    if (!option->get_positional()) continue;
    out = option->get_name(true);
    const auto most = static_cast<size_t>(option->get_items_expected_max());
    if (before < most) return out;
    before -= most;
  }
  return "";
}

// What is known of the config so far; what is wrong in it is left out.
Node Line::config() const {
  Node out = Node::mapping();
  const auto try_to = [](const auto& work) {
    try {
      work();
    } catch (const std::exception&) {  // told when it is run
    }
  };
  for (const std::string& place : places_) {
    if (place.find('=') != place.npos) {
      try_to([&] { apply_override(out, place); });
      continue;
    }
    std::filesystem::path file = expand_home(place);
    std::error_code error;
    if (std::filesystem::is_directory(file, error)) file /= "config.yaml";
    if (std::filesystem::is_regular_file(file, error))
      try_to([&] { out = load_config({file, {}, {}}); });
  }
  return out;
}

void Line::offer_verbs(const CLI::App& app, Offered& out) const {
  for (const CLI::App* verb : verbs_of(app))
    offer(begun_, verb->get_name(), verb->get_description(), out);
}

void Line::offer_options(Offered& out) const {
  for (const CLI::Option* option : (verb_ ? *verb_ : program_).get_options()) {
    if (option->get_group().empty()) continue;
    for (const std::string& name : option->get_lnames())
      offer(begun_, "--" + name, option->get_description(), out);
    if (option->get_lnames().empty()) {
      for (const std::string& name : option->get_snames())
        offer(begun_, "-" + name, option->get_description(), out);
    }
  }
}

// `before`: "--device=" where the value stands in the same word.
void Line::offer_value_of(const CLI::Option& option, const std::string& before,
                          Offered& out) const {
  const std::string name = option.get_lnames().empty() ? "" : option.get_lnames()[0];
  const std::string begun = begun_.substr(before.size());
  const auto offer_words = [&](const Words& words) {
    for (const std::string& word : words) offer(begun_, before + word, "", out);
  };
  // What CLI11's IsMember takes stands in the option's type: "TEXT:{uint8,float32}".
  const std::string type = option.get_type_name();
  if (const size_t open = type.find('{'); open != type.npos) {
    offer_words(CLI::detail::split(type.substr(open + 1, type.find('}') - open - 1), ','));
  } else if (name == "device") {
    for (const Candidate& one : complete_value(known_words().at("schema"), {}, "device=", false))
      offer(begun_, before + one.word.substr(7), one.help, out);
  } else if (name == "checkpoint") {
    offer_words({"best", "last"});
  } else if (name == "layout") {
    offer_components(name, before, begun_, out);
  } else if (name == "unset") {
    for (const Candidate& one : complete_key(known_words().at("schema"), config(), begun, ""))
      out.push_back({before + one.word, one.help});
  } else if (name == "output" || name == "run-dir" || name == "predictions" || name == "folder" ||
             name == "plugin") {
    for (const Candidate& one :
         path_words(begun, name == "plugin" ? PathKind::kPlugin : PathKind::kAny))
      out.push_back({before + one.word, one.help});
  }
}

void Line::offer_keys(Offered& out) const {
  const auto& schema = known_words().at("schema");
  const bool sweeps = verb_->get_name() == "sweep" || verb_->get_name() == "resume";
  offer_all(begun_.find('=') == begun_.npos ? complete_key(schema, config(), begun_)
                                            : complete_value(schema, config(), begun_, sweeps),
            out);
}

void Line::offer_place(Offered& out) const {
  const std::string name = slot();
  const auto has = [&](const char* word) { return name.find(word) != name.npos; };
  if (places_.empty()) offer_verbs(*verb_, out);
  if (has("OVERRIDE") || has("KEY=VALUE")) return offer_keys(out);
  // The words of a sweep are configs and keys.
  if (verb_->get_name() == "sweep" && !places_.empty()) offer_keys(out);
  if (has("PLOT")) return offer_components("plot", "", begun_, out);
  if (has("KIND") && (places_.empty() || !has("NAME"))) {
    for (const auto& [kind, names] : known_words().at("components").items())
      offer(begun_, kind, "", out);
    if (!has("PLUGIN")) return;
  } else if (has("NAME")) {
    return offer_components(places_[0], "", begun_, out);
  }
  if (has("SHELL")) {
    for (const char* shell : {"bash", "zsh", "fish"}) offer(begun_, shell, "", out);
    return;
  }
  const bool of_runs = has("RUN") || has("SWEEP"), of_configs = has("CONFIG");
  if (of_runs) offer_all(path_words(begun_, PathKind::kRun), out);
  if (of_configs) offer_all(path_words(begun_, PathKind::kConfig), out);
  if (has("PLUGIN")) offer_all(path_words(begun_, PathKind::kPlugin), out);
  const bool of_files = has("FILE") || has("IMAGE") || has("MODEL");
  if (of_files || (has("FOLDER") && !of_runs)) offer_all(path_words(begun_, PathKind::kAny), out);
}

Offered Line::candidates() const {
  Offered out;
  if (!verb_) {
    if (begun_.starts_with("-")) {
      offer_options(out);
    } else {
      offer_verbs(program_, out);
      offer_all(path_words(begun_, PathKind::kConfig), out);
    }
    return out;
  }
  const size_t equals = begun_.find('=');
  if (open_) {
    offer_value_of(*open_, "", out);
  } else if (!only_places_ && begun_.starts_with("--") && equals != begun_.npos) {
    if (const CLI::Option* option = option_named(begun_.substr(0, equals)))
      offer_value_of(*option, begun_.substr(0, equals + 1), out);
  } else if (!only_places_ && begun_.starts_with("-")) {
    offer_options(out);
  } else {
    offer_place(out);
  }
  return out;
}

// One line of it: shells show little more.
std::string shown_help(const std::string& help) {
  constexpr size_t kMostLetters = 100;
  const std::string line = escape(help.substr(0, help.find('\n')));
  if (count_letters(line) <= kMostLetters) return line;
  return line.substr(0, byte_of_letter(line, kMostLetters - 3)) + "...";
}

}  // namespace

bool asks_for_completion(const Words& arguments) {
  return arguments.size() >= 2 && arguments[0] == "completion" && arguments[1] == "--complete";
}

ExitCode print_completion(const CLI::App& program, const Words& arguments) {
  try {
    Words words(arguments.begin() + 2, arguments.end());
    if (words.empty()) words.emplace_back();
    std::vector<std::string> seen;
    for (const Candidate& one : Line(program, std::move(words)).candidates()) {
      // No line can have it, or it is a folder that two kinds of places offer.
      if (one.word.find_first_of("\n\t\r") != one.word.npos) continue;
      if (std::find(seen.begin(), seen.end(), one.word) != seen.end()) continue;
      seen.push_back(one.word);
      print(one.word + (one.help.empty() ? "" : "\t" + shown_help(one.help)));
    }
  } catch (const std::exception&) {  // a prompt is not the place to tell of it
  }
  return ExitCode::kDone;
}

}  // namespace vitrine
