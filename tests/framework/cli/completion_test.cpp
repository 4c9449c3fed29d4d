#include "tests/framework/cli/prompt.h"

// Completion of words in a shell.
namespace vitrine {
namespace {

namespace fs = std::filesystem;

TEST_CASE("verbs, configs and options are completed") {
  const Prompt prompt;
  CHECK(prompt.words({"st"}) == "status\n");
  CHECK(prompt.words({"co"}) == "compare\ncompletion\nconfigs/\n");
  CHECK(prompt.words({"configs/"}) == "configs/more/\nconfigs/own part.yaml\nconfigs/small.yaml\n");
  CHECK(prompt.words({"show", ""}) == "configs/\n");
  CHECK(prompt.words({"show", "o"}) == "other/\n");
  CHECK(prompt.words({"status", "--"}) == "--help\n--trace\n--json\n");
  CHECK(prompt.words({"completion", ""}) == "bash\nzsh\nfish\n");
  CHECK(prompt.words({"plot", "c"}) == "curves\n");
  CHECK(prompt.words({"plot", "curves", "--b"}) == "--band\n");
  CHECK(prompt.words({"plot", "curves", "--band", ""}) == "std\nci\nnone\n");
  CHECK(prompt.words({"export", "run", "--input=u"}) == "--input=uint8\n");
  CHECK(prompt.words({"export", "--layout", "t"}) == "timm\ntutorial\n");
  CHECK(prompt.words({"configs/small.yaml", "--device", ""}) == "auto\ncpu\ncuda\nmps\n");
  CHECK(prompt.words({"configs/small.yaml", "--unset", "model.m"}) == "model.mlp\nmodel.mlp.\n");
  CHECK(prompt.words({"list", "mlp", "sw"}) == "swiglu\n");
  CHECK(prompt.words({"list", "nothing", ""}) == "");
  CHECK(prompt.words({"nothing", "at", "all", "--x", ""}) != "status\n");
}

TEST_CASE("runs are completed, folder by folder") {
  const Prompt prompt;
  CHECK(prompt.words({"status", ""}) == "runs/\n");
  CHECK(prompt.words({"compare", "runs/"}) == "runs/small/\n");
  CHECK(prompt.words({"resume", "runs/small/"}) == "runs/small/first\n");
  CHECK(prompt.words({"resume", "runs/small/first", "training.ep"}) == "training.epochs=\n");
  CHECK(prompt.words({"test", "r"}) == "runs/\n");
}

TEST_CASE("keys are completed a level at a time, of the components that are chosen") {
  const Prompt prompt;
  const std::string config = "configs/small.yaml";
  CHECK(prompt.words({config, "mod"}) == "model=\nmodel.\n");
  CHECK(prompt.words({config, "trai"}) == "training.\n");
  CHECK(prompt.words({config, "model.hi"}) == "model.hidden_d=\n");
  CHECK(prompt.words({config, "model=lenet", "model.hi"}) == "");
  CHECK(prompt.words({config, "model.mlp=swiglu", "model.mlp.r"}) == "model.mlp.ratio=\n");
  CHECK(prompt.words({"sweep", config, "optimizer.l"}) ==
        "optimizer.lr=\noptimizer.layer_decay=\n");
  CHECK(prompt.words({"data", config, "dataset.si"}) == "dataset.size=\n");
}

TEST_CASE("values are completed") {
  const Prompt prompt;
  const std::string config = "configs/small.yaml";
  CHECK(prompt.words({config, "model.mlp="}) ==
        "model.mlp=gelu\nmodel.mlp=relu\nmodel.mlp=squared_relu\nmodel.mlp=swiglu\n");
  CHECK(prompt.words({config, "model.type=v"}) == "model.type=vit\n");
  CHECK(prompt.words({config, "backend=f"}) == "backend=fused\n");
  CHECK(prompt.words({config, "model.final_norm="}) ==
        "model.final_norm=true\nmodel.final_norm=false\n");
  CHECK(prompt.words({config, "loggers="}) == "loggers=[csv]\nloggers=[tensorboard]\n");
  CHECK(prompt.words({config, "loggers=[csv,"}) == "loggers=[csv,tensorboard]\n");
  CHECK(prompt.words({config, "loggers+=t"}) == "loggers+=tensorboard\n");
  CHECK(prompt.words({config, "seed="}) == "");
  CHECK(prompt.words({config, "no.such.key="}) == "");
  // Only a sweep takes several.
  CHECK(prompt.words({"sweep", config, "model.mlp=gelu,r"}) == "model.mlp=gelu,relu\n");
  CHECK(prompt.words({"sweep", config, "model.mlp=gelu,relu,"}) ==
        "model.mlp=gelu,relu,squared_relu\nmodel.mlp=gelu,relu,swiglu\n");
  CHECK(prompt.words({config, "model.mlp=gelu,r"}) == "");
}

TEST_CASE("completing runs no plug-in, and loads neither engine nor libtorch") {
  const Prompt prompt;
  // The config names a plug-in that is not there, and a component of it.
  CHECK(prompt.words({"configs/own part.yaml", "model.mlp=re"}) == "model.mlp=relu\n");
  const Result result = runner({"completion", "--complete", "configs/small.yaml", "model.mlp="},
                               prompt.path(), {{"LD_DEBUG", "files"}});
  CHECK(result.err.find("libvitrine_core.so") != result.err.npos);
  CHECK(result.err.find("libvitrine_engine.so") == result.err.npos);
  CHECK(result.err.find("libtorch") == result.err.npos);
}

TEST_CASE("what completion knows without the engine is what the engine says") {
  const TemporaryFolder folder;
  const Result result = runner({"completion", "--words"}, folder.path());
  CHECK(result.code == 0);
  CHECK(json_of(VITRINE_BINARY_DIR "/completion.json") == Json::parse(result.out));
}

TEST_CASE("without that file the engine is asked") {
  const Prompt prompt;
  for (const char* name : {"runner", "libvitrine_core.so", "libvitrine_engine.so"})
    fs::copy(fs::path(VITRINE_BINARY_DIR) / name, prompt / "other" / name);
  const std::vector<std::string> command = {(prompt / "other/runner").string(), "completion",
                                            "--complete", "a.yaml", "model.mlp=s"};
  const auto answer = [&] { return prompt.in(command).out; };
  const std::string expected = answer();
  CHECK(expected.starts_with("model.mlp=squared_relu\t"));
  // One that is broken, or older than the libraries, is none.
  write_plain(prompt / "other/completion.json", "{\"schema\": {}, \"comp");
  CHECK(answer() == expected);
  write_plain(prompt / "other/completion.json", "{\"schema\": {}, \"components\": {}}");
  CHECK(answer() == "");
  fs::last_write_time(prompt / "other/completion.json", fs::file_time_type::min());
  CHECK(answer() == expected);
}

TEST_CASE("another shell is refused by name") {
  const TemporaryFolder folder;
  const Result result = runner({"completion", "tcsh"}, folder.path());
  CHECK(result.code == 2);
  CHECK(result.err ==
        "error: there is no completion for the shell \"tcsh\"; there are bash, zsh and fish\n");
  CHECK(runner({"completion"}, folder.path()).err == "error: give a shell: bash, zsh or fish\n");
}

// `words` as bash parts them, behind `line`.
std::string bash_reply(const Prompt& prompt, const std::string& line, const std::string& words) {
  return prompt
      .in({"bash", "-c",
           "source <(runner completion bash); COMP_LINE=\"$1\"; COMP_POINT=${#1}; COMP_WORDS=(" +
               words +
               "); COMP_CWORD=$((${#COMP_WORDS[@]} - 1)); _runner runner; "
               "printf '<%s>' \"${COMPREPLY[@]}\"",
           "bash", line})
      .out;
}

TEST_CASE("bash completes") {
  const Prompt prompt;
  CHECK(bash_reply(prompt, "runner sta", "runner sta") == "<status >");
  CHECK(bash_reply(prompt, "runner ", "runner ''").starts_with("<train ><resume ><sweep >"));
  CHECK(bash_reply(prompt, "runner conf", "runner conf") == "<configs/>");
  CHECK(bash_reply(prompt, "runner configs/s", "runner configs/s") == "<configs/small.yaml >");
  CHECK(bash_reply(prompt, "runner configs/o", "runner configs/o") == "<configs/own\\ part.yaml >");
  CHECK(bash_reply(prompt, "runner configs/own\\ p", "runner 'configs/own\\ p'") ==
        "<configs/own\\ part.yaml >");
  // It parts words at "=", and puts the answer behind it.
  CHECK(bash_reply(prompt, "runner configs/small.yaml model.mlp=",
                   "runner configs/small.yaml model.mlp =") ==
        "<gelu ><relu ><squared_relu ><swiglu >");
  CHECK(bash_reply(prompt, "runner configs/small.yaml model.mlp=sw",
                   "runner configs/small.yaml model.mlp = sw") == "<swiglu >");
  CHECK(bash_reply(prompt, "runner configs/small.yaml model.mlp=swiglu model.mlp.r",
                   "runner configs/small.yaml model.mlp = swiglu model.mlp.r") ==
        "<model.mlp.ratio=>");
  CHECK(bash_reply(prompt, "runner export run --input=f", "runner export run --input = f") ==
        "<float32 >");
}

TEST_CASE("bash completes what is typed") {
  const Prompt prompt;
  const Result result = prompt.typed(
      "send source <(runner completion bash); PS1=rea''dy$\\n\n"
      "expect ready$\n"
      "send runner configs/sm\\tmodel.mlp=sw\\tmodel.mlp.ra\\t4\\x01printf '<%s>' \\n\n"
      "expect <runner><configs/small.yaml><model.mlp=swiglu><model.mlp.ratio=4>\n"
      "send exit\\n\n",
      "bash --norc -i");
  INFO(result.out);
  CHECK(result.code == 0);
}

}  // namespace
}  // namespace vitrine
