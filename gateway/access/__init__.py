"""Access: who asks, what they may do and use here, and as whom the gateway asks upstream."""
