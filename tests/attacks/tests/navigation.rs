//! Where the user is sent, and who may frame the page that answers.
