// fp8_linear_test.cc - products in 8 bits are those of the rounded numbers, gradients as well, and
// a run with them learns.  The rounding itself is held against numbers written out by hand (OCP
// 8-bit Floating Point Specification 1.0).
#include "kani/train/fp8_linear.h"

#include <cmath>

#include "kani/train/ops.h"
#include "kani/train/test_run.h"

namespace kani::train {
namespace {

at::Tensor value(const Fp8& x) { return x.numbers.to(at::kDouble) * x.scale.to(at::kDouble); }

double relative(const at::Tensor& a, const at::Tensor& b) {
  return ((a.to(at::kDouble) - b.to(at::kDouble)).norm() / b.to(at::kDouble).norm()).item<double>();
}

TEST(Fp8, the_largest_number_becomes_the_types_largest) {
  // With 448 the scale is 1: steps of 32 at 448, 1/8 at 1, and 2^-9 below 2^-6.
  const at::Tensor x = at::tensor({448.0F, 431.0F, -1.06F, 1.07F, 0.0021F, 0.0F});
  const Fp8 narrow = to_fp8(x, at::kFloat8_e4m3fn);
  EXPECT_EQ(narrow.scale.item<float>(), 1.0F);
  EXPECT_TRUE(narrow.numbers.to(at::kFloat)
                  .equal(at::tensor({448.0F, 416.0F, -1.0F, 1.125F, 0.001953125F, 0.0F})));
  const Fp8 coarse = to_fp8(at::tensor({57344.0F, 1.1F, -1.2F, 1e-8F}), at::kFloat8_e5m2);
  EXPECT_EQ(coarse.scale.item<float>(), 1.0F);
  EXPECT_TRUE(coarse.numbers.to(at::kFloat).equal(at::tensor({57344.0F, 1.0F, -1.25F, 0.0F})));
}

TEST(Fp8, zeros_stay_and_what_is_no_number_is_seen) {
  EXPECT_TRUE(value(to_fp8(at::zeros({3, 4}), at::kFloat8_e4m3fn)).eq(0).all().item<bool>());
  EXPECT_EQ(to_fp8(at::empty({0, 4}), at::kFloat8_e4m3fn).numbers.numel(), 0);
  for (const float odd : {NAN, INFINITY}) {
    const Fp8 x = to_fp8(at::tensor({1.0F, odd}), at::kFloat8_e4m3fn);
    EXPECT_TRUE(value(x).isnan().any().item<bool>());
  }
  // Nearly as small as float32 goes, and as large.
  for (const double scale : {1e-34, 1e36}) {
    const at::Tensor x = at::tensor({1.0F, -0.5F}) * scale;
    EXPECT_LT(relative(value(to_fp8(x, at::kFloat8_e4m3fn)), x), 1e-6) << scale;
  }
}

TEST(Fp8, a_layer_multiplies_the_rounded_numbers_and_so_do_its_gradients) {
  at::manual_seed(3);
  for (const auto type : {at::kFloat, at::kBFloat16}) {
    const at::Tensor x = at::randn({48, 64}).to(type).set_requires_grad(true);
    const at::Tensor w = (at::randn({32, 64}) * 0.02).set_requires_grad(true);
    const at::Tensor y = fp8_linear(x, w), direction = at::randn_like(y) * 1e-4;
    const at::Tensor narrow_x = value(to_fp8(x, at::kFloat8_e4m3fn)),
                     narrow_w = value(to_fp8(w, at::kFloat8_e4m3fn)),
                     narrow_dy = value(to_fp8(direction, at::kFloat8_e5m2));
    EXPECT_EQ(y.scalar_type(), at::kFloat);
    EXPECT_LT(relative(y, at::mm(narrow_x, narrow_w.t())), 1e-6);
    const at::Tensor bias = at::randn({32});
    EXPECT_TRUE(fp8_linear(x, w, bias).equal(y + bias));
    (y * direction).sum().backward();
    EXPECT_EQ(x.grad().scalar_type(), type);
    EXPECT_EQ(w.grad().scalar_type(), at::kFloat);
    EXPECT_LT(relative(w.grad(), at::mm(narrow_dy.t(), narrow_x)), 1e-6);
    EXPECT_LT(relative(x.grad(), at::mm(narrow_dy, narrow_w)), type == at::kFloat ? 1e-6 : 3e-3);
    // And those are near the ones that nobody rounded: three bits behind the point, then two.
    EXPECT_LT(relative(y, at::mm(x.detach().to(at::kFloat), w.detach().t())), 0.05);
    EXPECT_LT(relative(w.grad(), at::mm(direction.t(), x.detach().to(at::kFloat))), 0.1);
  }
}

using Fp8Run = RunTest;

TEST_F(Fp8Run, stays_near_the_curve_of_float32_and_goes_on_bit_for_bit) {
  TrainConfig c = config("wide");
  Trainer wide(c, false);
  c.fp8 = true;
  c.output_dir = folder_ / "fp8";
  Trainer narrow(c, false);
  double furthest = 0, first = 0, last = 0;
  while (!wide.done()) {
    last = wide.step().loss;
    if (first == 0) first = last;
    furthest = std::max(furthest, std::abs(narrow.step().loss - last));
  }
  ASSERT_LT(last, first - 0.1);
  EXPECT_GT(furthest, 1e-6);
  EXPECT_LT(furthest, 0.1 * (first - last));
  narrow.save();
  c.output_dir = folder_ / "part";
  {
    Trainer part(c, false);
    while (part.state().update < 5) part.step();
    part.save();
  }
  Trainer rest(c, true);
  while (!rest.done()) rest.step();
  rest.save();
  EXPECT_EQ(weights(folder_ / "fp8"), weights(folder_ / "part"));
  c.parity = true;
  EXPECT_THROW(c.validate(), Error);
}

}  // namespace
}  // namespace kani::train
