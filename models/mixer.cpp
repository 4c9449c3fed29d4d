#include <fmt/format.h>
#include <torch/nn/modules/container/modulelist.h>

#include "framework/registry/register.h"
#include "models/heads.h"

namespace vitrine {
namespace {

struct Options : HeadsOptions {
  int64_t hidden_d = 32, n_blocks = 4, ratio = 4;
  double token_ratio = 0.5;
  std::vector<int64_t> n_patches = {7};
  Choice<Embedding> embedding{"linear_patches"};
  Choice<Norm> norm{"layer"};

  void visit(Fields& field) {
    ModelOptions::visit(field);
    field("hidden_d", hidden_d, "width of a token", between(1, 1'000'000))
        .words({"dim", "embed_dim", "width"});
    field("n_blocks", n_blocks, "number of blocks", between(1, 10'000)).words({"depth", "layers"});
    field("n_patches", n_patches, "patches along each side of the image: N, or [rows, columns]",
          at_least(1))
        .words({"num_patches", "patch_size", "grid"});
    field("embedding", embedding, "from patches to tokens").words({"patch_embed", "patchify"});
    field("norm", norm, "normalisation").words({"norm_layer"});
    field("ratio", ratio, "hidden width of the MLP over columns as a multiple of hidden_d",
          between(1, 10'000))
        .words({"mlp_ratio"});
    field("token_ratio", token_ratio,
          "hidden width of the MLP over tokens as a multiple of hidden_d", above(0))
        .words({"tokens_mlp_dim"});
    visit_heads(field);
  }
  void check(const ModelContext& images, Check& check) const {
    check_tasks(images, check);
    if (n_patches.empty() || n_patches.size() > 2) {
      return check.error(
          {"n_patches"},
          fmt::format("n_patches has {} entries: write N, or [rows, columns]", n_patches.size()));
    }
    if (images.height % n_patches.front() != 0 || images.width % n_patches.back() != 0) {
      return check.error(
          {"n_patches"},
          fmt::format("an image of {} x {} pixels cannot be cut into {} x {} patches",
                      images.height, images.width, n_patches.front(), n_patches.back()));
    }
    embedding.check(geometry(images), check.problems());
    norm.check(geometry(images), check.problems());
    check_heads(images, hidden_d, check.problems());
  }
  Geometry geometry(const ModelContext& images) const {
    Geometry out;
    out.channels = images.channels;
    out.height = images.height;
    out.width = images.width;
    out.rows = n_patches.front();
    out.columns = n_patches.back();
    out.hidden_d = hidden_d;
    return out;
  }
};

class MixerBlock : public Part {
 public:
  MixerBlock(const Options& options, const PartContext& context) {
    const int64_t tokens = context.n_tokens(), d = options.hidden_d;
    const auto hidden =
        std::max<int64_t>(static_cast<int64_t>(options.token_ratio * static_cast<double>(d)), 1);
    norm1_ = add("norm1", options.norm.create(context));
    across1_ = add("across1", std::make_shared<Linear>(tokens, hidden));
    across2_ = add("across2", std::make_shared<Linear>(hidden, tokens));
    norm2_ = add("norm2", options.norm.create(context));
    along1_ = add("along1", std::make_shared<Linear>(d, options.ratio * d));
    along2_ = add("along2", std::make_shared<Linear>(options.ratio * d, d));
  }

 protected:
  Value forward(const Value& x) override {  // [N, D] -> the same
    const Value mixed = transpose((*across2_)(gelu((*across1_)(transpose((*norm1_)(x))))));
    const Value y = x + mixed;
    return y + (*along2_)(gelu((*along1_)((*norm2_)(y))));
  }

 private:
  std::shared_ptr<Norm> norm1_, norm2_;
  std::shared_ptr<Linear> across1_, across2_, along1_, along2_;
};

// Tolstikhin et al. 2021, "MLP-Mixer: an all-MLP architecture for vision".
class Mixer : public ModelWithHeads {
 public:
  Mixer(const Options& options, const ModelContext& images) {
    const PartContext context{options.geometry(images)};
    patches_ = context.n_tokens();
    hidden_d_ = context.hidden_d;
    embedding_ = add("embedding", options.embedding.create(context));
    auto blocks = register_module("blocks", torch::nn::ModuleList());
    for (int64_t i = 0; i < options.n_blocks; ++i) {
      const auto block = std::make_shared<MixerBlock>(options, context);
      block->set_name(fmt::format("blocks.{}", i));
      block->set_type("mixer");
      blocks->push_back(std::static_pointer_cast<torch::nn::Module>(block));
      blocks_.push_back(block);
    }
    final_norm_ = add("final_norm", options.norm.create(context));
    add_heads(options, options.hidden_d, images);
  }

  Value features(const Value& images) override {
    Value x = (*embedding_)(images, patches_, hidden_d_);
    for (const auto& block : blocks_) x = (*block)(x);
    x = (*final_norm_)(x);
    const Scope scope("pooling", "mean");
    return mean_over_tokens(x);
  }
  std::vector<std::vector<std::string>> layers() const override {
    return layers_with({"embedding"}, static_cast<int64_t>(blocks_.size()));
  }

 private:
  int64_t patches_ = 0, hidden_d_ = 0;
  std::shared_ptr<Embedding> embedding_;
  std::vector<std::shared_ptr<MixerBlock>> blocks_;
  std::shared_ptr<Norm> final_norm_;
};

VITRINE_REGISTER(Model, Mixer, Options,
                 "MLP-Mixer: MLPs over tokens and over columns in turn, without attention")

}  // namespace
}  // namespace vitrine
