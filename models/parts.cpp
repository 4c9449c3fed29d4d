#include "models/parts.h"

namespace vitrine {

void ResidualOptions::visit(Fields& field) {
  field("layer_scale", layer_scale, "initial value of a learned factor for each column of a branch",
        above(0))
      .words({"init_values"});
  field("drop_path", drop_path,
        "probability that the last block's branches are skipped; earlier ones less",
        from_below(0, 1))
      .words({"stochastic_depth"});
  field("dropout", dropout, "probability that an element of a branch's output is zeroed",
        from_below(0, 1))
      .words({"drop"});
}

void ResidualOptions::check(const BlockGeometry& context, Check& check) const {
  if (context.n_blocks == 1 && drop_path > 0) {
    check.no_effect("drop_path", "it rises from 0 in the first block, which is the only one");
  }
}

ResidualBranch::ResidualBranch(const ResidualOptions& options, const BlockContext& context)
    : dropout_(options.dropout) {
  if (options.layer_scale) {
    layer_scale_ =
        register_parameter("layer_scale", at::full({context.hidden_d}, *options.layer_scale));
  }
  if (context.n_blocks > 1) {
    drop_path_ = options.drop_path * static_cast<double>(context.index) /
                 static_cast<double>(context.n_blocks - 1);
  }
}

Value ResidualBranch::forward(const Value& x) {
  Value out = x;
  if (dropout_ > 0 && is_training()) out = dropout(out, dropout_);
  if (layer_scale_.defined()) out = out * table(layer_scale_);
  if (drop_path_ > 0 && is_training()) out = drop_path(out, drop_path_);
  return out;
}

}  // namespace vitrine
