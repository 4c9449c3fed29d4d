#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>

#include <algorithm>
#include <set>

#include "framework/registry/register.h"
#include "framework/training/flops.h"
#include "framework/training/layout.h"
#include "framework/training/model.h"
#include "framework/training/target.h"
#include "models/parts.h"

namespace vitrine {
namespace {

constexpr const char* kDefaultHead = "linear";

struct TaskOptions {
  std::string name;
  std::optional<Choice<Head>> head;
  double weight = 1;
  Target target;

  void visit(Fields& field) {
    field("name", name, "what results and parameters call it: letters, digits, _ and -");
    field("head", head, "from its pooled token to its outputs; null is model.head");
    field("weight", weight, "of its loss in the sum", above(0)).words({"loss_weight"});
    field("target", target, "what it is to tell").words({"label"});
  }
};

struct Options : ModelOptions {
  int64_t hidden_d = 64, n_heads = 4, n_blocks = 4;
  std::vector<int64_t> n_patches = {7};
  Choice<Embedding> embedding{"linear_patches"};
  Choice<Position> position{"sincos"};
  Choice<Encoder> encoder{"auto"};
  Choice<Block> block{"pre_norm"};
  Choice<Attention> attention{"multi_head"};
  Choice<Mlp> mlp{"gelu"};
  Choice<Norm> norm{"layer"};
  bool final_norm = true;
  Choice<Pooling> pooling{"class_token"};
  Choice<Head> head{kDefaultHead};
  std::vector<TaskOptions> tasks;

  void visit(Fields& field);
  void check(const ModelContext& images, Check& check) const;

  std::vector<TaskOptions> tasks_or_default() const {
    TaskOptions label;
    label.name = "class";
    return tasks.empty() ? std::vector{label} : tasks;
  }
  PartContext geometry(const ModelContext& images) const;

 private:
  void check_geometry(const ModelContext& images, Check& check) const;
  void check_tasks(const ModelContext& images, Check& check) const;
  void check_parts(const ModelContext& images, Problems& problems) const;
};

// The resolved options as they would be written in a config.
Node written(Options options) { return write_fields(fields_of(options)); }

void Options::visit(Fields& field) {
  ModelOptions::visit(field);
  field("hidden_d", hidden_d, "width of a token", between(1, 1'000'000))
      .words({"dim", "embed_dim", "emb_dim", "embedding_dim", "hidden_dim", "d_model", "model_dim",
              "hidden", "hidden_size", "width"});
  field("n_heads", n_heads, "heads of attention; divides hidden_d", between(1, 1'000'000))
      .words({"heads", "num_heads", "num_attention_heads"});
  field("n_blocks", n_blocks, "number of blocks", between(1, 10'000))
      .words({"depth", "layers", "n_layers", "num_layers", "num_blocks", "num_hidden_layers"});
  field("n_patches", n_patches, "patches along each side of the image: N, or [rows, columns]",
        at_least(1))
      .words({"num_patches", "patch_size", "grid"});
  field("embedding", embedding, "from patches to tokens")
      .words({"embed", "patch_embed", "patchify"});
  field("position", position, "what is added to tell tokens apart by their place")
      .words({"pos", "pos_embed", "pos_embedding", "positional_encoding"});
  field("encoder", encoder, "how all parts but the heads are executed")
      .words({"backend", "implementation", "kernel"})
      .is(Role::kExecution);
  field("block", block, "how attention, mlp and norms are joined").words({"residual"});
  field("attention", attention, "how tokens exchange information")
      .words({"attn", "self_attention"});
  field("mlp", mlp, "what is done to each token alone")
      .words({"ffn", "feed_forward", "act", "activation", "hidden_act"});
  field("norm", norm, "normalisation").words({"normalization", "norm_layer"});
  field("final_norm", final_norm, "whether a norm stands between the last block and pooling")
      .words({"last_norm"});
  field("pooling", pooling, "from all tokens to one for each task")
      .words({"pool", "global_pool", "cls_token"});
  field("head", head, "from the pooled token to the outputs").words({"classifier"});
  field("tasks", tasks, "what to predict; none listed is the one task \"class\", the label")
      .words({"targets", "outputs"});
}

PartContext Options::geometry(const ModelContext& images) const {
  PartContext context;
  context.channels = images.channels;
  context.height = images.height;
  context.width = images.width;
  context.rows = n_patches.front();
  context.columns = n_patches.back();
  context.n_tasks = std::max<int64_t>(static_cast<int64_t>(tasks.size()), 1);
  context.hidden_d = hidden_d;
  context.n_heads = n_heads;
  return context;
}

void Options::check(const ModelContext& images, Check& check) const {
  check_tasks(images, check);
  const size_t before = check.problems().size();
  check_geometry(images, check);
  if (check.problems().size() == before) check_parts(images, check.problems());
}

void Options::check_geometry(const ModelContext& images, Check& check) const {
  if (hidden_d % n_heads != 0) {
    check.error({"hidden_d", "n_heads"},
                fmt::format("hidden_d ({}) must be divisible by n_heads ({})", hidden_d, n_heads));
  }
  if (n_patches.empty() || n_patches.size() > 2) {
    return check.error(
        {"n_patches"},
        fmt::format("n_patches has {} entries: write N, or [rows, columns]", n_patches.size()));
  }
  const bool is_pair = n_patches.size() == 2;
  const auto divides = [&](const char* side, int64_t pixels, const char* which, int64_t count) {
    if (pixels % count == 0) return;
    check.error({"n_patches"},
                fmt::format("the image {} ({}) must be divisible by {}n_patches ({})", side, pixels,
                            is_pair ? which : "", count));
  };
  divides("height", images.height, "the rows of ", n_patches.front());
  const bool is_same = !is_pair && images.height == images.width;
  if (!is_same) divides("width", images.width, "the columns of ", n_patches.back());
}

void Options::check_tasks(const ModelContext& images, Check& check) const {
  constexpr const char* kLetters =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";
  std::set<std::string> names;
  for (size_t i = 0; i < tasks.size(); ++i) {
    const TaskOptions& task = tasks[i];
    Check here = check.at("tasks").at(std::to_string(i).c_str());
    if (task.name.empty() || task.name.find_first_not_of(kLetters) != std::string::npos) {
      here.error({"name"}, "a task needs a name of letters, digits, _ and -");
    } else if (!names.insert(task.name).second) {
      here.error({"name"}, fmt::format("another task is named \"{}\" too", task.name));
    }
    task.target.check_against(static_cast<int64_t>(images.class_names.size()), "target", here);
  }
  const bool is_head_used = tasks.empty() || std::any_of(tasks.begin(), tasks.end(),
                                                         [](auto& task) { return !task.head; });
  // The default may stand there: a resolved config spells everything out.
  if (!is_head_used && head.type() != kDefaultHead) {
    check.no_effect("head", "every task names its own head");
  }
}

void Options::check_parts(const ModelContext& images, Problems& problems) const {
  const PartContext context = geometry(images);
  embedding.check(context, problems);
  position.check(context, problems);
  attention.check(context, problems);
  mlp.check(context, problems);
  norm.check(context, problems);
  block.check({context, {}, {}, {}, 0, n_blocks}, problems);
  pooling.check(context, problems);
  for (const TaskOptions& task : tasks_or_default()) {
    const auto classes = static_cast<int64_t>(task.target.class_names(images.class_names).size());
    (task.head ? *task.head : head).check({hidden_d, classes}, problems);
  }
  EncoderContext encoder_context{context, {}, images.raw_pixels, images.device};
  encoder_context.parts.choices = written(*this);
  encoder.check(encoder_context, problems);
}

int64_t count_parameters(const torch::nn::Module& module) {
  int64_t count = 0;
  for (const Tensor& parameter : module.parameters()) count += parameter.numel();
  return count;
}

// Dosovitskiy et al. 2021, "An image is worth 16x16 words", with exchangeable parts and a special
// token and head for each task.
class Vit : public Model, public Composed {
 public:
  // Parameters are drawn in the tutorial's order: embedding, tokens, position, blocks, final norm,
  // heads.
  Vit(const Options& options, const ModelContext& images)
      : options_(options), context_(options.geometry(images)) {
    pooling_ = options_.pooling.create(context_);
    context_.special_tokens = pooling_->special_tokens();
    parts_.embedding = add("embedding", options_.embedding.create(context_));
    add_tokens();
    parts_.position = add("position", options_.position.create(context_));
    add_blocks();
    if (options_.final_norm) parts_.final_norm = add("final_norm", options_.norm.create(context_));
    parts_.pooling = add("pooling", pooling_);
    for (const TaskOptions& task : options_.tasks_or_default()) add_task(task, images.class_names);
    parts_.choices = written(options_);
    encoder_ = options_.encoder.create({context_, parts_, images.raw_pixels, images.device});
  }

  std::vector<Tensor> forward(const Tensor& images) override {
    return predict(encoder_->forward(images));
  }
  const std::vector<Task>& tasks() const override { return tasks_; }
  const Parts& parts() const override { return parts_; }
  const PartContext& geometry() const override { return context_; }
  std::vector<Decision> decisions() const override {
    return {{"encoder", encoder_->name(), encoder_->reason()}};
  }
  bool has_own_threads() const override { return encoder_->has_own_threads(); }
  std::vector<LayerSummary> layers(const Tensor& image) override;
  std::map<std::string, Tensor> export_as(const std::string& layout) override;

 private:
  template <class Part>
  Part* add(const std::string& name, std::shared_ptr<Part> part) {
    return register_module(name, std::move(part)).get();
  }

  void add_tokens() {
    if (context_.special_tokens == 0) return;
    auto tokens = register_module("tokens", std::make_shared<torch::nn::Module>());
    const auto tasks = options_.tasks_or_default();
    for (size_t i = 0; i < static_cast<size_t>(context_.special_tokens); ++i) {
      const std::string name =
          i < tasks.size() ? tasks[i].name : fmt::format("+{}", i - tasks.size() + 1);
      parts_.tokens.push_back(tokens->register_parameter(name, at::rand({1, options_.hidden_d})));
    }
  }

  void add_blocks() {
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    BlockContext context{context_,
                         [this] { return options_.norm.create(context_); },
                         [this] { return options_.attention.create(context_); },
                         [this] { return options_.mlp.create(context_); },
                         0,
                         options_.n_blocks};
    for (; context.index < context.n_blocks; ++context.index) {
      const auto block = options_.block.create(context);
      blocks->push_back(std::static_pointer_cast<torch::nn::Module>(block));
      parts_.blocks.push_back(block.get());
    }
  }

  void add_task(const TaskOptions& options, const std::vector<std::string>& labels) {
    Task task;
    task.name = options.name;
    task.weight = options.weight;
    task.class_names = options.target.class_names(labels);
    task.target_of_label = options.target.of_labels(static_cast<int64_t>(labels.size()));
    const auto head =
        (options.head ? *options.head : options_.head).create({options_.hidden_d, task.classes()});
    task.probabilities = head->gives_probabilities();
    if (context_.n_tasks == 1) {
      register_module("head", head);
    } else {
      if (!heads_module_)
        heads_module_ = register_module("heads", std::make_shared<torch::nn::Module>());
      heads_module_->register_module(task.name, head);
    }
    heads_.push_back(head);
    tasks_.push_back(std::move(task));
  }

  std::vector<Tensor> predict(const Tensor& pooled) {  // [B, n_tasks, D]
    std::vector<Tensor> out;
    for (size_t i = 0; i < heads_.size(); ++i)
      out.push_back(heads_[i]->forward(pooled.select(1, static_cast<int64_t>(i))));
    return out;
  }

  const Choice<Head>& head_choice(size_t task) const {
    const bool is_own = !options_.tasks.empty() && options_.tasks[task].head;
    return is_own ? *options_.tasks[task].head : options_.head;
  }

  Options options_;
  PartContext context_;
  Parts parts_;
  std::shared_ptr<Pooling> pooling_;
  std::shared_ptr<torch::nn::Module> heads_module_;
  std::vector<std::shared_ptr<Head>> heads_;
  std::vector<Task> tasks_;
  std::shared_ptr<Encoder> encoder_;
};

// Whatever the encoder is, its work is summed up as if it were done part by part.
std::vector<LayerSummary> Vit::layers(const Tensor& image) {
  const bool was_training = is_training();
  eval();
  at::NoGradGuard no_grad;
  std::vector<LayerSummary> rows;
  const auto add_row = [&](const std::string& name, const std::string& type, int64_t parameters,
                           auto run) {
    const FlopCounter flops;
    const Tensor out = run();
    rows.push_back({name, type, out.sizes().slice(1).vec(), parameters, flops.count()});
    return out;
  };
  Tensor x = add_row("embedding", options_.embedding.type(), count_parameters(*parts_.embedding),
                     [&] { return parts_.embedding->forward(to_float(image)); });
  if (!parts_.tokens.empty()) {
    x = add_row("tokens", "learned", context_.special_tokens * context_.hidden_d,
                [&] { return parts_.with_tokens(x); });
  }
  x = add_row("position", options_.position.type(), count_parameters(*parts_.position),
              [&] { return parts_.with_positions(x); });
  const int64_t needed = parts_.pooling->needed_tokens(x.size(1));
  for (size_t i = 0; i < parts_.blocks.size(); ++i) {
    Block* block = parts_.blocks[i];
    const int64_t n_out = i + 1 == parts_.blocks.size() ? needed : x.size(1);
    x = add_row(fmt::format("blocks.{}", i), options_.block.type(), count_parameters(*block),
                [&] { return block->forward(x, n_out); });
  }
  if (parts_.final_norm) {
    x = add_row("final_norm", options_.norm.type(), count_parameters(*parts_.final_norm),
                [&] { return parts_.final_norm->forward(x); });
  }
  x = add_row("pooling", options_.pooling.type(), count_parameters(*parts_.pooling),
              [&] { return parts_.pooling->forward(x); });
  for (size_t i = 0; i < heads_.size(); ++i) {
    add_row(heads_.size() == 1 ? "head" : "heads." + tasks_[i].name, head_choice(i).type(),
            count_parameters(*heads_[i]),
            [&] { return heads_[i]->forward(x.select(1, static_cast<int64_t>(i))); });
  }
  train(was_training);
  return rows;
}

std::map<std::string, Tensor> Vit::export_as(const std::string& layout) {
  LayoutContext context;
  context.channels = context_.channels;
  context.height = context_.height;
  context.width = context_.width;
  context.rows = context_.rows;
  context.columns = context_.columns;
  for (const Task& task : tasks_) context.tasks.push_back(task.name);
  context.options = written(options_);
  context.options.set("head", head_choice(0).write());  // a single task may have named its own
  for (const auto& weight : named_parameters())
    context.weights.emplace(weight.key(), weight.value());
  context.positions = parts_.position->table(at::kCPU);
  return weights_in_layout(layout, context);
}

VITRINE_REGISTER(Model, Vit, Options, "Vision Transformer, composed of exchangeable parts")

}  // namespace
}  // namespace vitrine
