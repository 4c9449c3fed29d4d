#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "framework/simd/matrix.h"

// What a program is made of. An operation says everything about itself in one file of the folder
// operation/: the shapes that it takes, its cost, and its forward and backward pass for images in
// the lanes of vectors. Its form in libtorch stands in framework/model/operation/. Without torch.
namespace vitrine {

// The size of a value: for each image a matrix. The tokens of an image or of a map of features are
// its pixels row by row, the columns their channels.
struct Shape {
  size_t tokens = 0, columns = 0;

  size_t size() const { return tokens * columns; }
  bool operator==(const Shape&) const = default;
};
std::string to_string(const Shape& shape);  // "50 x 8"

struct TokenRange {
  size_t begin = 0, end = 0;

  size_t size() const { return end - begin; }
  bool empty() const { return end <= begin; }
  bool operator==(const TokenRange&) const = default;
};

// Some of a program's parameter: `count` of what its first dimension counts, from `first` on; 0 is
// all. kNone: it is left out.
struct ParameterUse {
  static constexpr size_t kNone = ~size_t{0};
  size_t index = kNone, first = 0, count = 0;
};

// An operation with its operands' sizes.
struct Applied {
  std::vector<Shape> inputs;
  std::vector<std::vector<size_t>> parameters;  // sizes, as in libtorch; [] where one is left out
  std::vector<double> numbers;                  // in the order of Operation::numbers
  Shape output;                                 // not known yet to Operation::shape

  // Throws Error(kInternal) where it is no whole number from 0 to kLargest.
  size_t count(size_t number) const;
  size_t parameter_size(size_t parameter) const;

  static constexpr size_t kLargest = size_t{1} << 31;  // of counts and sizes
};

// How many operands an operation takes.
struct Operands {
  static constexpr size_t kAny = ~size_t{0};  // one at least
  size_t inputs = 1, parameters = 0;
  size_t optional = 0;  // of the parameters, the last ones: they may be left out
};

// How the numbers of a group of images lie.
enum class MemoryLayout {
  // An element of a matrix is a vector of one number of each image: for narrow models, whose rows
  // would fill no vector.
  kImages,
  // Rows are rows of numbers, image after image: for wide models, and for few images.
  kColumns
};

// Where a batch comes from.
struct Feed {
  const uint8_t* bytes = nullptr;    // images [B, C, H, W], 255 is 1; or
  const float* values = nullptr;     // the same as they are
  std::vector<const float*> inputs;  // what comes with the images, each [B, columns]
  // What is random draws from these alone: each image's number in the training set, and where the
  // training stands.
  const int64_t* image_numbers = nullptr;  // [B]
  uint64_t seed = 0;
  int64_t epoch = 0;
};

// Some images of a batch. With the layout kImages, lanes beyond `count` repeat the last image and
// have no gradient.
struct ImageGroup {
  const Feed* feed = nullptr;
  size_t first = 0, count = 0;
};

// What an operation computes with on one group.
struct Call {
  struct Operand {
    Shape shape;
    Matrix value;
    Matrix gradient;    // null where none is wanted
    bool adds = false;  // the gradient is added to what is there, else it replaces that
  };
  struct Parameter {
    const float* values = nullptr;  // null: left out
    float* gradient = nullptr;      // added to; null where it is not trained
  };

  std::span<const Operand> inputs;
  Operand output;
  size_t unit = 1;    // floats of an element: 1, or with kImages the lanes of a vector
  size_t images = 1;  // matrices of each operand: those of the group, or with kImages 1
  Matrix addend;      // of Operation::adds: what the result is added to; null where there is none
  std::span<const Parameter> parameters;
  std::span<const double> numbers;
  float* saved = nullptr;    // Operation::saved elements, from forward to backward; null: not kept
  float* scratch = nullptr;  // Operation::scratch elements
  bool again = false;        // forward is run a second time, for the backward pass: `saved` holds
  ImageGroup group;

  size_t count(size_t number) const { return static_cast<size_t>(numbers[number]); }
  bool has_columns() const { return unit == 1; }
};

// Which operands backward reads, besides what forward saved.
struct Needs {
  uint32_t inputs = 0;  // bit i: the value of input i
  bool output = false;
};

class Operation {
 public:
  virtual ~Operation() = default;

  virtual Operands operands() const { return {}; }
  virtual std::vector<const char*> numbers() const { return {}; }  // their names
  // The output's shape, of as many operands and numbers. Throws Error(kInternal) with what does not
  // fit: a program may come from a file that nobody vouches for.
  virtual Shape shape(const Applied& applied) const = 0;
  // Its first three numbers are the images' channels, height and width.
  virtual bool reads_images() const { return false; }
  // Computes from inputs, parameters and images alone, without drawing, and no number among them
  // tells it where to read. A file's programs have no other operations.
  virtual bool is_closed(const Applied&) const { return true; }
  // Operations of one image's forward pass; a multiplication with its addition counts two. Only
  // products count.
  virtual double flops(const Applied&) const { return 0; }

  // --- what a program may leave out

  // The tokens of each input that these tokens of the output are computed from; by default those of
  // the same number, where an input has as many tokens as the output, else all.
  virtual std::vector<TokenRange> reads(const Applied& applied, TokenRange tokens) const;
  // Whether it can be applied to what `reads` says, to give these tokens alone; and the numbers
  // that it then takes.
  virtual bool narrows() const { return true; }
  virtual std::vector<double> narrowed(const Applied& applied, TokenRange tokens) const;
  // Makes the parameters those that give these columns of the output alone. False where there are
  // none such.
  virtual bool take_columns(const Applied&, size_t /*first*/, size_t /*count*/,
                            std::vector<ParameterUse>&) const {
    return false;
  }

  // --- what needs no computing

  struct Offset {
    size_t token = 0, column = 0;
  };
  // The output is a part of the input.
  virtual bool is_part() const { return false; }
  // The output is put together of the inputs.
  virtual bool is_whole() const { return false; }
  // The place in the input where a part begins; of a whole the places in the output where each
  // input begins.
  virtual std::vector<Offset> offsets(const Applied&) const { return {}; }
  // The gradient of this input is that of the output.
  virtual bool passes(const Applied&, size_t /*input*/) const { return false; }

  // --- computing

  virtual Needs needs(const Applied&) const { return {}; }
  // Cheap enough to be run again for the backward pass instead of keeping its output.
  virtual bool is_cheap() const { return false; }
  // The output may take the place of the first input, and that gradient that of the output.
  virtual bool in_place(const Applied&) const { return false; }
  // Can add its result to an addend of the output's shape.
  virtual bool adds() const { return false; }
  virtual bool has_gradient() const { return true; }
  // Elements that an image's matrices need besides: from forward to backward, and during either.
  virtual size_t saved(const Applied&) const { return 0; }
  virtual size_t scratch(const Applied&) const { return 0; }
  // Whether it knows the layout kColumns too; kImages everyone knows.
  virtual bool has_columns_layout() const { return is_part(); }
  virtual void forward(const Call& call) const = 0;
  // Computes, from the output's gradient, those of inputs and parameters that are wanted.
  virtual void backward(const Call& call) const;
};

// The operations of this process, by name. Registering never throws: it runs before main.
void register_operation(const char* name, const Operation* operation) noexcept;
// Throws Error(kInternal) where there is none.
const Operation& find_operation(const std::string& name);
std::vector<std::string> operation_names();  // sorted

struct RegisteredOperation {
  RegisteredOperation(const char* name, const Operation* operation) {
    register_operation(name, operation);
  }
};

// Throws Error(kInternal): "linear: what is wrong".
[[noreturn]] void refuse_operands(const std::string& operation, const std::string& what);
// Does so where this parameter is there and has not `count` numbers.
void refuse_bias(const char* operation, const Applied& applied, size_t parameter, size_t count);

}  // namespace vitrine

// The last statement of an operation's file, outside of all namespaces but vitrine.
#define VITRINE_OPERATION(name, Class) \
  static const Class operation_##name; \
  static const RegisteredOperation registered_##name(#name, &operation_##name);
