#include "framework/onnx/onnx.h"

#include <algorithm>
#include <list>
#include <set>

#include "framework/error.h"
#include "framework/files/sha256.h"
#include "framework/onnx/form.h"
#include "tests/catch.h"
#include "tests/framework/files/support.h"
#include "tests/framework/onnx/read_onnx.h"

namespace vitrine {
namespace {

// Programs of images [1, 4, 4] that are written step by step.
class Written {
 public:
  Written() { scope("", ""); }

  void scope(const std::string& name, const std::string& type) {
    model_.program.scopes.push_back({name, type});
  }
  ParameterUse parameter(const std::string& name, const std::vector<size_t>& sizes) {
    size_t count = 1;
    for (const size_t size : sizes) count *= size;
    values_.emplace_back();
    for (size_t i = 0; i < count; ++i) values_.back().push_back(static_cast<float>(i) / 8);
    model_.program.parameters.push_back({name, sizes});
    model_.parameters.push_back(values_.back().data());
    return {model_.parameters.size() - 1};
  }
  size_t add(const std::string& operation, std::vector<size_t> inputs,
             std::vector<ParameterUse> parameters = {}, std::vector<double> numbers = {}) {
    return model_.program.add({operation,
                               std::move(inputs),
                               std::move(parameters),
                               std::move(numbers),
                               {},
                               model_.program.scopes.size() - 1});
  }
  size_t patches() { return add("patches", {}, {}, {1, 4, 4, 2, 2}); }  // [4, 4]

  OnnxModel giving(const std::vector<OnnxModel::Output>& outputs, int64_t opset = 17) {
    OnnxModel out = model_;
    out.images = {1, 4, 4, true, {}};
    out.outputs = outputs;
    out.opset = opset;
    return out;
  }
  ReadOnnx read(size_t step, int64_t opset = 17) {
    return read_onnx(onnx_model(giving({{"out", step}}, opset)));
  }
  std::string refusal(size_t step) {
    return message_of(ExitCode::kUsage, [&] { onnx_model(giving({{"out", step}})); });
  }

 private:
  OnnxModel model_;
  std::list<std::vector<float>> values_;
};

// A classifier that is small enough to be listed.
OnnxModel small_classifier(Written& written) {
  written.scope("position", "learned");
  const size_t positions =
      written.add("table", {}, {written.parameter("position.rows", {4, 4})}, {0, 4});
  const size_t x = written.add("add", {written.patches(), positions});
  written.scope("head", "linear");
  const size_t mean = written.add("mean_over_tokens", {x});
  const size_t logits =
      written.add("linear", {mean},
                  {written.parameter("head.weight", {3, 4}), written.parameter("head.bias", {3})});
  const size_t shares = written.add("softmax", {logits});
  OnnxModel out = written.giving({{"class", logits}, {"class.probabilities", shares}});
  out.images.normalizations = {{{0.5}, {0.25}}};
  out.metadata = {{"tasks", "[]"}};
  return out;
}

// An operation of a plug-in that says nothing of ONNX.
class Folding : public Operation {
 public:
  Shape shape(const Applied& applied) const override { return applied.inputs[0]; }
  void forward(const Call&) const override {}
};
VITRINE_OPERATION(folding, Folding)

bool uses(const ReadOnnx& model, const std::string& type) {
  return std::count(model.types.begin(), model.types.end(), type) > 0;
}

}  // namespace

TEST_CASE("a model is written node by node") {
  Written written;
  const std::string bytes = onnx_model(small_classifier(written));
  const ReadOnnx model = read_onnx(bytes);
  CHECK(model.ir_version == 8);
  CHECK(model.opset == 17);
  CHECK(model.producer == "vitrine");
  CHECK(model.inputs == std::vector<std::string>{"images uint8 [batch, 1, 4, 4]"});
  CHECK(model.outputs ==
        std::vector<std::string>{"class float [batch, 3]", "class.probabilities float [batch, 3]"});
  CHECK(model.metadata == std::map<std::string, std::string>{{"tasks", "[]"}});
  CHECK(fmt::format("\n{}\n", fmt::join(model.nodes, "\n")) == R"(
images/Cast = Cast(images) to=1
Constant = Constant() value_float=255
images/Div = Div(images/Cast, Constant)
images/Sub = Sub(images/Div, normalize.mean)
images/Div_2 = Div(images/Sub, normalize.std)
Constant_2 = Constant() value_ints=[1, -1, 4]
position/Reshape = Reshape(position.rows, Constant_2)
Constant_3 = Constant() value_ints=[0, 1, 2, 2, 2, 2]
position/Reshape_2 = Reshape(images/Div_2, Constant_3)
position/Transpose = Transpose(position/Reshape_2) perm=[0, 2, 4, 1, 3, 5]
Constant_4 = Constant() value_ints=[0, 4, 4]
position/Reshape_3 = Reshape(position/Transpose, Constant_4)
position/Add = Add(position/Reshape_3, position/Reshape)
head/ReduceMean = ReduceMean(position/Add) axes=[1]
head/Transpose = Transpose(head.weight) perm=[1, 0]
head/MatMul = MatMul(head/ReduceMean, head/Transpose)
head/Add = Add(head/MatMul, head.bias)
head/Softmax = Softmax(head/Add) axis=-1
Constant_5 = Constant() value_ints=[0, 3]
class = Reshape(head/Add, Constant_5)
class.probabilities = Reshape(head/Softmax, Constant_5)
)");
  std::set<std::string> names;
  for (const auto& [name, initializer] : model.initializers) names.insert(name);
  CHECK(names == std::set<std::string>{"head.bias", "head.weight", "normalize.mean",
                                       "normalize.std", "position.rows"});
  const auto& weight = model.initializers.at("head.weight");
  CHECK(weight.sizes == std::vector<int64_t>{3, 4});
  CHECK(weight.values ==
        std::vector<float>{0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1, 1.125, 1.25, 1.375});
  CHECK(model.initializers.at("normalize.std").sizes == std::vector<int64_t>{1, 1, 1, 1});
  CHECK(model.initializers.at("normalize.std").values == std::vector<float>{0.25});
  CHECK(sha256_hex(bytes) == "c581e3d2e60d0f719c9f7d3eb6f00a1f48ce3cc907bb3174420043b2f4f272e6");
}

TEST_CASE("images as floats are taken as they are") {
  Written written;
  OnnxModel model = small_classifier(written);
  model.images.are_bytes = false;
  const ReadOnnx read = read_onnx(onnx_model(model));
  CHECK(read.inputs == std::vector<std::string>{"images float [batch, 1, 4, 4]"});
  CHECK_FALSE(read.initializers.contains("normalize.mean"));
  CHECK_FALSE(uses(read, "Cast"));
}

TEST_CASE("each opset has the operators that came with it") {
  Written written;
  const size_t x = written.patches();
  const ParameterUse weight = written.parameter("norm.weight", {4});
  const size_t normed = written.add("rms_norm", {x}, {weight}, {1e-6, 1});
  const size_t attended = written.add("attention", {normed, normed, normed}, {}, {2, 0, 0, 0});
  const size_t shaped = written.add("gelu_tanh", {written.add("gelu", {attended})});
  const size_t out = written.add("mean_over_columns", {shaped});
  for (const int64_t opset : {17, 18, 19, 20, 21, 22, 23}) {
    CAPTURE(opset);
    const ReadOnnx model = written.read(out, opset);
    CHECK(model.opset == opset);
    CHECK(model.ir_version == (opset < 19 ? 8 : opset < 21 ? 9 : opset < 23 ? 10 : 11));
    CHECK(uses(model, "Gelu") == (opset >= 20));
    CHECK(uses(model, "Erf") == (opset < 20));
    CHECK(uses(model, "RMSNormalization") == (opset >= 23));
    CHECK(uses(model, "Attention") == (opset >= 23));
    const bool has_axes = std::any_of(model.nodes.begin(), model.nodes.end(),
                                      [](const auto& node) { return node.ends_with(" axes=[2]"); });
    CHECK(has_axes == (opset < 18));
  }
}

TEST_CASE("a parameter is there once, under its name, where an output needs it") {
  Written written;
  const ParameterUse weight = written.parameter("weight", {4, 4});
  const ParameterUse unused = written.parameter("unused", {4, 4});
  const ParameterUse none;
  const size_t x = written.patches();
  const size_t twice =
      written.add("linear", {written.add("linear", {x}, {weight, none})}, {weight, none});
  written.add("linear", {x}, {unused, none});
  const ReadOnnx model = written.read(twice);
  CHECK(model.initializers.size() == 1);
  CHECK(model.initializers.contains("weight"));
  // Columns that alone are read are computed of a part of it.
  const size_t part = written.add("columns", {twice}, {}, {1, 2});
  const ReadOnnx narrow = written.read(part);
  CHECK(narrow.initializers.at("weight").values.size() == 16);
  CHECK(std::count(narrow.types.begin(), narrow.types.end(), "Slice") == 1);
}

TEST_CASE("what depends on no image is there for each of them") {
  Written written;
  const size_t rows = written.add("table", {}, {written.parameter("rows", {4, 4})}, {0, 4});
  const ReadOnnx model = written.read(rows);
  CHECK(model.outputs == std::vector<std::string>{"out float [batch, 16]"});
  CHECK(uses(model, "Expand"));
}

TEST_CASE("names that are taken get a number") {
  Written written;
  const size_t x = written.add("flatten", {written.patches()});
  const size_t y =
      written.add("add", {x, written.add("table", {}, {written.parameter("b", {16})}, {0, 1})});
  const ReadOnnx model = read_onnx(onnx_model(written.giving({{"images", y}, {"b", x}, {"b", y}})));
  CHECK(model.inputs == std::vector<std::string>{"images uint8 [batch, 1, 4, 4]"});
  CHECK(model.outputs == std::vector<std::string>{"images_2 float [batch, 16]",
                                                  "b float [batch, 16]", "b_2 float [batch, 16]"});
  CHECK(model.initializers.contains("b_3"));
}

TEST_CASE("every operation has a form in ONNX") {
  for (const std::string& name : operation_names()) {
    CAPTURE(name);
    CHECK((find_onnx_form(name) == nullptr) == (name == "folding"));
  }
}

TEST_CASE("what has no equal in ONNX is refused with its place") {
  Written written;
  const size_t x = written.patches();
  written.scope("blocks.0", "masked");
  const std::string begin =
      "the model cannot be written as ONNX: blocks.0 (masked): the operation ";
  const std::string random =
      " draws random numbers in evaluation too, those of each image, which ONNX has not; what "
      "draws them only where is_training() says so can be written";
  CHECK(written.refusal(written.add("random_order", {}, {}, {4, 0})) ==
        begin + "random_order" + random);
  CHECK(written.refusal(written.add("dropout", {x}, {}, {0.1, 0, 0})) ==
        begin + "dropout" + random);
  CHECK(written.refusal(written.add("drop_path", {x}, {}, {0.1, 0})) ==
        begin + "drop_path" + random);
  CHECK(written.refusal(written.add("attention", {x, x, x}, {}, {2, 0.1, 0, 0})) ==
        begin + "attention" + random);
  CHECK(written.refusal(written.add("input", {}, {}, {0, 1})) ==
        begin +
            "input takes what comes with the images in training, which nobody has who asks the "
            "model; outputs are to be computed from images alone");
  CHECK(written.refusal(written.add("folding", {x})) ==
        begin + "folding has no form in ONNX; VITRINE_ONNX_FORM registers one");
  // With a probability of 0 they do nothing.
  const size_t y = written.add("dropout", {x}, {}, {0, 0, 0});
  CHECK_FALSE(uses(written.read(written.add("drop_path", {y}, {}, {0, 0})), "Mul"));
  // What no output needs is not there.
  written.add("random_order", {}, {}, {4, 0});
  CHECK_NOTHROW(written.read(x));
}

TEST_CASE("more than a file holds is refused before it is made") {
  Written written;
  OnnxModel model = written.giving({});
  model.program.parameters = {{"large", {600000, 1000}}};
  model.parameters = {nullptr};
  const size_t rows = model.program.add({"table", {}, {{0}}, {0, 600000}, {}, 0});
  model.outputs = {{"out", rows}};
  CHECK(message_of(ExitCode::kUsage, [&] { onnx_model(model); }) ==
        "the model cannot be written as ONNX: its weights are 2.4 GB, and a file holds 2; weights "
        "beside the file are not written");
}

}  // namespace vitrine
