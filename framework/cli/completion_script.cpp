#include <fmt/format.h>

#include <string_view>

#include "framework/cli/known_words.h"
#include "framework/cli/terminal.h"
#include "framework/cli/verbs.h"
#include "framework/config/scalar.h"

// The scripts ask the program for each word, so that none grows stale.
namespace vitrine {
namespace {

// COMP_WORDS are parted at "=" and ":" as well; what stands in one word is joined again. Bash puts
// what is offered in the place of the last part alone.
constexpr std::string_view kBash = R"~(# runner completion bash: source <(runner completion bash)
_runner() {
  local line=$COMP_LINE last='' word help i words=()
  for ((i = 0; i <= COMP_CWORD; i++)); do
    word=${COMP_WORDS[i]}
    if ((i > 1)) && [[ $line != [[:space:]]* && $word$last == *[=:]* ]]; then
      words[${#words[@]} - 1]+=$word
    else
      words+=("$word")
    fi
    line=${line#"${line%%[![:space:]]*}"}
    line=${line#"$word"}
    last=$word
  done
  local begun=${words[${#words[@]} - 1]}
  local quotes=$'"\'\\\\' joined
  joined=${begun%"${COMP_WORDS[COMP_CWORD]}"}
  if [[ ${COMP_WORDS[COMP_CWORD]} == [=:] ]]; then joined=$begun; fi
  for i in "${!words[@]}"; do words[i]=${words[i]//[$quotes]/}; done
  joined=${joined//[$quotes]/}
  COMPREPLY=()
  while IFS=$'\t' read -r word help; do
    word=${word#"$joined"}
    if [[ $word == *[!A-Za-z0-9_.,:=/@%+~\[\]-]* ]]; then printf -v word %q "$word"; fi
    if [[ $word != *[=./] ]]; then word+=' '; fi
    COMPREPLY+=("$word")
  done < <("${words[0]/#\~/$HOME}" completion --complete "${words[@]:1}" 2>/dev/null)
}
complete -o nospace -F _runner runner
)~";

constexpr std::string_view kZsh = R"~(#compdef runner
# runner completion zsh: source <(runner completion zsh), behind compinit
_runner() {
  local word help
  local -a closed open closed_help open_help typed
  typed=("${(@Q)words[1,CURRENT-1]}" "${(Q)PREFIX}")
  while IFS=$'\t' read -r word help; do
    if [[ $word == *[=./] ]]; then
      open+=("$word") open_help+=("$word${help:+  -- $help}")
    else
      closed+=("$word") closed_help+=("$word${help:+  -- $help}")
    fi
  done < <("${typed[1]/#\~/$HOME}" completion --complete "${(@)typed[2,-1]}" 2>/dev/null)
  compadd -l -d open_help -S '' -a open
  compadd -l -d closed_help -a closed
}
if [[ ${funcstack[1]} == _runner ]]; then _runner "$@"; else compdef _runner runner; fi
)~";

constexpr std::string_view kFish = R"~(# runner completion fish: runner completion fish | source
function __runner_words
    set -l words (commandline -opc)
    set -l program (string replace -r '^~' $HOME $words[1])
    set -e words[1]
    $program completion --complete $words (commandline -ct | string unescape) 2>/dev/null
end
complete -c runner -f -a '(__runner_words)'
)~";

struct Script {
  const char* shell;
  std::string_view text;
};
constexpr Script kScripts[] = {{"bash", kBash}, {"zsh", kZsh}, {"fish", kFish}};

ExitCode print_script(const std::string& shell) {
  for (const Script& script : kScripts) {
    if (shell != script.shell) continue;
    std::fwrite(script.text.data(), 1, script.text.size(), stdout);
    return ExitCode::kDone;
  }
  throw Error(ExitCode::kUsage,
              shell.empty() ? "give a shell: bash, zsh or fish"
                            : fmt::format("there is no completion for the shell \"{}\"; there are "
                                          "bash, zsh and fish",
                                          escape(shell)));
}

}  // namespace

Action completion_verb(CLI::App& app) {
  auto shell = std::make_shared<std::string>();
  auto words = std::make_shared<bool>(false);
  app.add_option("SHELL", *shell, "bash, zsh or fish");
  app.add_flag("--words", *words, "what the build writes beside the program")->group("");
  app.footer(
      "For the shell at hand, or in its start-up file:\n"
      "  source <(runner completion bash)\n"
      "  source <(runner completion zsh)      behind compinit\n"
      "  runner completion fish | source");
  return [shell, words] {
    if (!*words) return print_script(*shell);
    print(words_of_engine().dump());
    return ExitCode::kDone;
  };
}

}  // namespace vitrine
