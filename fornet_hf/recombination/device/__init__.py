"""Composing on the device: workers fetch and decode, or only fetch; the device scales, feathers, pastes and flips."""
