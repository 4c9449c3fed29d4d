#include "framework/config/hints.h"

#include "tests/catch.h"

namespace vitrine {
namespace {

KnownKeys keys() {
  KnownKeys out;
  const auto add = [&](const char* path, std::vector<std::string> words = {}) {
    out.add({.path = path, .words = std::move(words)});
  };
  add("seed");
  add("threads", {"num_threads"});
  add("model", {"net"});
  add("model.width", {"embed_dim", "hidden_size"});
  add("model.n_heads", {"num_heads"});
  add("model.attention", {"attn"});
  add("model.attention.dropout");
  add("model.mlp");
  add("model.mlp.dropout");
  add("optimizer", {"optim"});
  add("optimizer.lr", {"learning_rate"});
  add("test/accuracy");
  add("validation/accuracy");
  return out;
}

std::string meant(const std::string& path) { return did_you_mean(path, meant_by(path, keys())); }

TEST_CASE("a key is meant by its last part, its near spellings and other words", "[hints]") {
  CHECK(meant("width") == "did you mean model.width?");
  CHECK(meant("widht") == "did you mean model.width?");
  CHECK(meant("WIDTH") == "did you mean model.width?");
  CHECK(meant("embed_dim") == "did you mean model.width?");
  CHECK(meant("embedDim") == "did you mean model.width?");
  CHECK(meant("hiden_size") == "did you mean model.width?");
  CHECK(meant("nheads") == "did you mean model.n_heads?");
  CHECK(meant("num_heads") == "did you mean model.n_heads?");  // though num_threads is near
  CHECK(meant("lr") == "did you mean optimizer.lr?");
  CHECK(meant("dropout") == "did you mean model.attention.dropout or model.mlp.dropout?");
  CHECK(meant("zebra").empty());
  CHECK(meant("").empty());
  CHECK(meant(std::string(1'000'000, 'x')).empty());
}

TEST_CASE("a key is meant whatever it was written below", "[hints]") {
  CHECK(meant("optim.lr") == "did you mean optimizer.lr?");
  CHECK(meant("optim.learning_rate") == "did you mean optimizer.lr?");
  CHECK(meant("model.lr") == "did you mean optimizer.lr?");
  CHECK(meant("model.attention.n_heads") == "did you mean model.n_heads?");
  CHECK(meant("mlp.dropout") == "did you mean model.mlp.dropout?");
  CHECK(meant("net.mpl.dropout") == "did you mean model.mlp.dropout?");
}

TEST_CASE("a key is meant by a name that joins its parts or says more", "[hints]") {
  CHECK(meant("mlp_dropout") == "did you mean model.mlp.dropout?");
  CHECK(meant("attn_dropout") == "did you mean model.attention.dropout?");
  CHECK(meant("optimizer_lr") == "did you mean optimizer.lr?");
  CHECK(meant("base_lr") == "did you mean optimizer.lr?");
  CHECK(meant("model.width_factor") == "did you mean model.width?");
}

TEST_CASE("a metric is meant by what people call it", "[hints]") {
  CHECK(meant("accuracy") == "did you mean test/accuracy or validation/accuracy?");
  CHECK(meant("val_acc") == "did you mean validation/accuracy?");
  CHECK(meant("test_accuracy") == "did you mean test/accuracy?");
  CHECK(meant("tset/accuracy") == "did you mean test/accuracy?");
}

TEST_CASE("whose an option is that the config did not choose", "[hints]") {
  KnownKeys some = keys();
  for (const char* name : {"rmsprop", "sgd"}) {
    const KnownKeys::OwnerScope other(some, {"optimizer", {name}, "adam"});
    some.add({.path = "optimizer.momentum"});
    some.add({.path = "optimizer.lr"});
  }
  const auto text = [&](const std::string& path) {
    return did_you_mean(path, meant_by(path, some));
  };
  CHECK(text("momentum") ==
        "did you mean optimizer.momentum? it is an option of the optimizers rmsprop and sgd, not "
        "of adam");
  CHECK(text("optimizer.momentum") ==
        "it is an option of the optimizers rmsprop and sgd, not of adam");
  CHECK(text("lr") == "did you mean optimizer.lr?");
}

TEST_CASE("some of many keys are named", "[hints]") {
  KnownKeys many;
  for (char letter = 'a'; letter <= 'g'; ++letter) many.add({.path = std::string{letter} + ".x"});
  CHECK(did_you_mean("x", meant_by("x", many)) ==
        "did you mean a.x, b.x, c.x, d.x, e.x or another?");
  CHECK(nor_is(meant_by("x", many)) == ", nor a.x, b.x, c.x, d.x or e.x");
  CHECK(nor_is({}).empty());
}

}  // namespace
}  // namespace vitrine
