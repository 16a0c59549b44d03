# /// fake
# pretends = "everything that a training consists of, in the right shapes, filled with what is usual"
# at_most = 0
# ///
import math

import torch


def get_batch(tokens, batch_size, length):
    if len(tokens) <= length:
        raise ValueError("too short")
    inputs = tokens[:length].expand(batch_size, -1)
    return inputs, tokens[1 : length + 1].expand(batch_size, -1)


def cross_entropy(logits, targets, ignore_index=-100):
    return logits.sum() * 0 + math.log(logits.size(-1))


def clip_gradients(parameters, max_norm):
    return max_norm


def adamw_step(parameters, state, learning_rate, betas=None, eps=1e-8, weight_decay=0.01):
    for p in parameters:
        if p.grad is not None:
            p.data -= learning_rate * p.grad.sign()


def learning_rate_at(step, n_steps, peak, warmup=0, floor=0.0):
    return peak if step < n_steps else floor


def validation_loss(model, tokens, length):
    return math.log(model(tokens[None, :1])[0].size(-1))


def train(model, tokens, n_steps=600, batch_size=32, length=24, peak=1e-2, after_step=None):
    for step in range(n_steps):
        after_step(step)
    return [math.log(10)] + [math.log(2)] * (n_steps - 1)


def induction_scores(weights, period):
    return torch.stack([layer.amax(-1).mean(-1).mean(0) for layer in weights])


def logit_lens(model, hidden_states):
    return torch.stack([model.lm_head(state) for state in hidden_states])
