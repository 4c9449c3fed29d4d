#include "framework/beta.h"

#include <boost/math/special_functions/beta.hpp>

namespace vitrine {

double beta_quantile(double alpha, double p) {
  using namespace boost::math::policies;
  const policy<promote_double<false>> in_double;
  return boost::math::ibeta_inv(alpha, alpha, p, in_double);
}

}  // namespace vitrine
