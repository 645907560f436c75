//! What takes long at QFPay, and numbers that QFPay has seen before.
