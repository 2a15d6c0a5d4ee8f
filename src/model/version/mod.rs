//! The order of package versions, as each package manager has it.
