#pragma once

#include <memory>
#include <string>
#include <vector>

#include "framework/model/operations.h"
#include "framework/registry/registry.h"
#include "framework/state/state.h"
#include "framework/torch.h"

namespace vitrine {

class Part;

// Makes `part`, which `owned` is too, a child of `parent`.
void adopt(torch::nn::Module& parent, const std::string& name, Part& part,
           std::shared_ptr<torch::nn::Module> owned);

// A part of a model: a module that makes a value of another. It is written with the operations of
// operations.h, so that it can be computed at once as well as recorded.
class Part : public torch::nn::Module, public Registered, public Stateful {
 public:
  Part();
  ~Part() override;  // here, so that libtorch's is not compiled with every part
  // Throws an error that names the component where what it makes is not as its kind says.
  Value operator()(const Value& x);
  // The same of a part whose output has this shape.
  Value operator()(const Value& x, int64_t tokens, int64_t columns);
  // Of one that is no component, what it is called.
  void set_type(const std::string& type) { type_ = type; }
  void set_name(const std::string& name) { name_in_parent_ = name; }
  // Names parameters as Model::no_weight_decay does.
  virtual std::vector<std::string> no_weight_decay() const { return {}; }

 protected:
  virtual Value forward(const Value& x) = 0;
  // Whether what it makes has the shape of what it was given.
  virtual bool keeps_shape() const { return false; }

  // Makes `part` a part of this one, under whose name its parameters then are.
  template <class Child>
  std::shared_ptr<Child> add(const std::string& name, std::shared_ptr<Child> part) {
    adopt(*this, name, *part, part);
    return part;
  }

 private:
  std::string name_in_parent_, type_;
};

// x weight^T + bias, with libtorch's initial values.
class Linear : public Part {
 public:
  Linear(int64_t in, int64_t out, bool has_bias = true);
  ~Linear() override;

 protected:
  Value forward(const Value& x) override;

 private:
  Tensor weight_, bias_;
};

// A table that is neither trained nor kept in files: its author computes it anew.
class FixedTable {
 public:
  FixedTable() = default;
  explicit FixedTable(Tensor rows) : rows_(std::move(rows)) {}

  // The table on the device of what it is to go with.
  const Tensor& on(const Value& x) {
    if (!x.is_recorded() && x.tensor().device() != rows_.device())
      rows_ = rows_.to(x.tensor().device());
    return rows_;
  }

 private:
  Tensor rows_;
};

}  // namespace vitrine
