#include <ATen/core/grad_mode.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/cross_entropy_loss.h>
#include <ATen/ops/randint.h>

#include "framework/training/backend.h"
#include "framework/training/experiment.h"
#include "tests/component.h"
#include "tests/models/support.h"

namespace vitrine {
namespace {

const ModelContext kImages = images_of(1, 8, 8, 4);

DatasetInfo info() { return {1, 8, 8, kImages.columns, 10, 10}; }

// A teacher's file, and what its model answers.
struct Teacher {
  TemporaryFolder folder;
  std::shared_ptr<Model> model;

  explicit Teacher(const std::string& head) {
    at::manual_seed(7);
    Problems problems;
    Config config;
    config.dataset = Choice<Dataset>("digits");
    config.dataset.read_default("dataset", problems);
    config.experiment.read_default("experiment", problems);
    config.model = read_model(
        "{type: vit, n_patches: 2, hidden_d: 16, n_heads: 2, n_blocks: 1, "
        "head: " +
            head + "}",
        problems);
    model = config.model.create(kImages);
    model->eval();
    save_model(folder / "model.safetensors", *model, config, info());
  }
  Tensor logits(const Tensor& images) const {
    const at::NoGradGuard no_grad;
    const Tensor out = outputs_of(model, images)[0];
    return model->tasks()[0].probabilities ? out.log() : out;
  }
};

struct Taught {
  std::shared_ptr<Model> model;
  std::shared_ptr<Experiment> experiment;
  std::unique_ptr<FlatParameters> parameters;

  Taught(const Teacher& teacher, const std::string& options, const std::string& tasks,
         const char* way) {
    at::manual_seed(3);
    ExperimentContext context;
    context.model = model = make_model(
        "{type: vit, n_patches: 2, hidden_d: 8, n_heads: 2, n_blocks: 1" + tasks + "}", kImages);
    context.loss = make<Loss>("cross_entropy", {model->tasks()});
    context.backend = way;
    context.data = info();
    context.device = "cpu";
    experiment = make<Experiment>(
        "{type: distillation, teacher: " + (teacher.folder / "model.safetensors").string() +
            options + "}",
        context);
    parameters = std::make_unique<FlatParameters>(*model);
  }

  Tensor sums(const Batch& batch) {
    parameters->gradients().zero_();
    return experiment->differentiate(batch, 1, *parameters);
  }
  double value(const std::string& name, const Tensor& sums, const Batch& batch) const {
    for (const Measure& measure : experiment->measures()) {
      if (measure.in("train") == "train/" + name)
        return measure.value(sums.const_data_ptr<double>(), static_cast<double>(batch.size()));
    }
    throw std::runtime_error("no " + name);
  }
};

Batch a_batch() {
  at::manual_seed(12);
  Batch out;
  out.images = at::randint(0, 256, {19, 1, 8, 8}, at::kByte);
  out.labels = {at::randint(0, 4, {19}, at::kLong)};
  out.count = 19;
  out.position = {5, 1, at::arange(19)};
  return out;
}

}  // namespace

TEST_CASE("a student learns its labels and its teacher's probabilities") {
  for (const std::string head : {"linear", "softmax"}) {
    CAPTURE(head);
    const Teacher teacher(head);
    const Batch batch = a_batch();
    for (const char* way : {kLayers, kFused}) {
      CAPTURE(way);
      Taught taught(teacher, ", temperature: 2, weight: 0.25", "", way);
      const Tensor student = outputs_of(taught.model, batch.images)[0].detach();
      const Tensor theirs = (teacher.logits(batch.images) / 2).log_softmax(1);
      const Tensor ours = (student / 2).log_softmax(1);
      const double from_teacher = 4 * (theirs.exp() * (theirs - ours)).sum(1).mean().item<double>();
      const double from_labels = at::cross_entropy_loss(student, batch.labels[0]).item<double>();
      const Tensor sums = taught.sums(batch);
      CHECK(taught.value("teacher_loss", sums, batch) == Approx(from_teacher).epsilon(1e-4));
      CHECK(taught.value("label_loss", sums, batch) == Approx(from_labels).epsilon(1e-4));
      CHECK(taught.value("loss", sums, batch) ==
            Approx(0.75 * from_labels + 0.25 * from_teacher).epsilon(1e-4));
      const double right =
          student.argmax(1).eq(batch.labels[0]).to(at::kDouble).mean().item<double>();
      CHECK(taught.value("accuracy", sums, batch) == Approx(right));
    }
  }
}

TEST_CASE("a task of the teacher's own learns its answer, and nothing of the labels") {
  const Teacher teacher("linear");
  Batch batch = a_batch();
  Taught taught(teacher, ", hard: true, task: distilled, weight: 0.5",
                ", tasks: [{name: class}, {name: distilled}]", kFused);
  const auto outputs = outputs_of(taught.model, batch.images);
  const Tensor answer = teacher.logits(batch.images).argmax(1);
  const double wanted = 0.5 * at::cross_entropy_loss(outputs[0], batch.labels[0]).item<double>() +
                        0.5 * at::cross_entropy_loss(outputs[1], answer).item<double>();
  CHECK(taught.value("loss", taught.sums(batch), batch) == Approx(wanted).epsilon(1e-4));
  const auto gradients = [&] {
    return taught.parameters->by_name(taught.parameters->gradients().clone());
  };
  const auto before = gradients();
  batch.labels = {(batch.labels[0] + 1).remainder(4)};
  taught.sums(batch);
  CHECK(same_bits(gradients().at("heads.distilled.weight"), before.at("heads.distilled.weight")));
  CHECK_FALSE(same_bits(gradients().at("heads.class.weight"), before.at("heads.class.weight")));
}

TEST_CASE("the two ways to execute a distillation have the same gradients") {
  const Teacher teacher("linear");
  const Batch batch = a_batch();
  for (const std::string options : {", hard: true", ""}) {
    CAPTURE(options);
    Taught layers(teacher, options, "", kLayers), fused(teacher, options, "", kFused);
    layers.sums(batch);
    fused.sums(batch);
    const Tensor wanted = layers.parameters->gradients();
    CHECK(largest_difference(fused.parameters->gradients(), wanted) <
          1e-5 * wanted.abs().max().item<double>());
  }
}

}  // namespace vitrine
