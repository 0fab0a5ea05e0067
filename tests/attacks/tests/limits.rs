//! What cannot be defended, shown.
