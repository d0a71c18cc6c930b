"""What a vertex does: one operator, one file; its spec (data, travels) above, its behaviour (stays on the worker) below."""
