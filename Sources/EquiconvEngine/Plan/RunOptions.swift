// SPDX-License-Identifier: Apache-2.0

/// Settings of one call in place of those that the plan and the process would choose; for tests and measurements.
package struct RunOptions: Sendable {
  package var instructions: InstructionSet
  package var method: Method?
  package var threads: Int?
  package var workspaceLimit: Int?

  package init(
    instructions: InstructionSet = .current, method: Method? = nil, threads: Int? = nil, workspaceLimit: Int? = nil
  ) {
    self.instructions = instructions
    self.method = method
    self.threads = threads
    self.workspaceLimit = workspaceLimit
  }
}
