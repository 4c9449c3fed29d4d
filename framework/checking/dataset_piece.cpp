#include <fmt/format.h>

#include "framework/checking/pieces.h"
#include "framework/checking/read.h"
#include "framework/config/scalar.h"
#include "framework/config/yaml.h"
#include "framework/data/dataset.h"

namespace vitrine {
namespace {

using Json = nlohmann::ordered_json;

LoadedSplits loaded(const Node& component) {
  const auto dataset = read<Dataset>(component).create({});
  return load_splits(*dataset, {});
}

std::string contents_of(const LoadedSplits& splits) {
  return contents_fingerprint(splits.train, splits.test, splits.validation);
}

// Its own whole numbers, one more each.
std::vector<Node> larger_options(const Node& component) {
  const auto choice = read<Dataset>(component);
  std::vector<Node> out;
  choice.below([&](const Fields& fields, const Fields&) {
    for (const Field& field : fields.list()) {
      const auto number = parse_integer(field.value->write().scalar);
      const bool is_integer = field.value->schema().value("type", Json()) == "integer";
      if (!number || !is_integer || field.name == "split_seed") continue;
      Node one = Node::mapping();
      one.set(field.name, Node::plain(std::to_string(*number + 1)));
      out.push_back(std::move(one));
    }
  });
  return out;
}

// The options that give other data under the same fingerprint; empty where none do.
std::string same_fingerprint(const Node& component, const LoadedSplits& as_it_is) {
  std::vector<Node> changes = larger_options(component);
  for (Node& change : other_options(Dataset::kKind, component))
    changes.push_back(std::move(change));
  for (const Node& change : changes) {
    Node changed = component;
    for (const Node& child : change.children) changed.set(child.key, child);
    try {
      const LoadedSplits other = loaded(changed);
      if (other.fingerprint == as_it_is.fingerprint && contents_of(other) != contents_of(as_it_is))
        return to_flow_yaml(change);
    } catch (const Error&) {
      // An option that it refuses, or data that are not here.
    }
  }
  return "";
}

}  // namespace

Finding try_dataset(const Node& component) {
  try {
    const auto dataset = read<Dataset>(component).create({});
    in_component(dataset->component(), "load_train", [&] { return dataset->load_train(); });
  } catch (const Error& error) {
    if (error.code() == ExitCode::kData)
      return Finding::not_tried("its data are not here: " + first_line(error.what()));
    throw;
  }
  const LoadedSplits one = loaded(component), other = loaded(component);
  if (one.fingerprint != other.fingerprint)
    return Finding::fault("its fingerprint is another one the second time");
  if (contents_of(one) != contents_of(other))
    return Finding::fault("its images or labels are others the second time");
  if (one.train.source && one.train.size() > 1) {
    const ImageSource& source = *one.train.source;
    const auto first = source.read(0).pixels;
    source.read(one.train.size() - 1);
    if (source.read(0).pixels != first)
      return Finding::fault("an image is another one when it is read again, after others");
  }
  if (const std::string change = same_fingerprint(component, one); !change.empty())
    return Finding::fault(change + " gives other images or labels under the same fingerprint");
  return Finding::sound(fmt::format("{} images to train and {} to test, the same twice",
                                    one.train.size(), one.test.size()));
}

}  // namespace vitrine
