#include "sim/cli/calibration/write_kernels.hpp"

#include <gtest/gtest.h>

namespace switchyard {
namespace {

TEST(YamlText, QuotesTextThatWouldBeReadAsSomethingElse) {
  EXPECT_EQ(yaml_text({{"name", "a core"},
                       {"hash", "0b04b0582c480aa0"},
                       {"version", "12"},
                       {"device", "True"},
                       {"time", "2.5 us"}}),
            "name: a core\nhash: \"0b04b0582c480aa0\"\nversion: \"12\"\ndevice: \"True\"\n"
            "time: 2.5 us\n");
}

}  // namespace
}  // namespace switchyard
