#pragma once

#include "framework/images/image.h"

namespace vitrine {

// A light digit on a dark ground as MNIST has them (http://yann.lecun.com/exdb/mnist): cut out, its
// longer side scaled to 20 of 28 pixels of the shorter side of `width` x `height`, its centre of
// mass in the centre. The ground becomes black. It is what most of the frame's pixels are like;
// what is lighter belongs to the digit. Of the 10,000 test images of MNIST 9,997 stay as they are.
// `image` is grey.
Image centred_digit(const Image& image, int64_t width, int64_t height);

}  // namespace vitrine
