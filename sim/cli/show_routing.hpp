#pragma once

namespace CLI {
class App;
}

namespace switchyard {

/// Adds `show routing`: what the routing of an experiment does, without simulating a step.
void add_show_routing(CLI::App& show_command);

}  // namespace switchyard
