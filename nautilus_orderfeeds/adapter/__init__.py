"""The framework side: the only room, beside the venues' doors and the command, that imports nautilus_trader."""
