# %% [markdown]
# # Glossary
#
# The words of this course, and the notebook that explains each. Shapes are written with `B` sequences,
# `T` tokens in each, `V` tokens in the vocabulary, and vectors of `d_model` numbers.
#
# | word | what it means | notebook |
# |---|---|---|
# | activation | what a layer computes on the way forward, as opposed to its parameters; training keeps many of them for the way back | 5 |
# | AdamW | the optimizer that most language models are trained with; it keeps two numbers for each parameter | 5, 6 |
# | attention | for each position, a mean of the values of others, weighted by how well its query fits their keys | 2 |
# | attention weight | how much of a value goes into an output; for each query they add to 1 | 2 |
# | autocast | a mode of PyTorch that computes products in 16 bits and keeps in float32 what needs it | 5 |
# | autograd | what remembers the computation in PyTorch, and computes gradients from it backwards | 5 |
# | autoregressive | said of a model that predicts each token from those before it | 3 |
# | batch | sequences that are computed at once; `B` of them | 1 |
# | bfloat16 | numbers of 16 bits with the range of float32 and two to three significant digits | 1, 5 |
# | bias | a vector that is added after a matrix product | 2 |
# | block | attention and feed-forward network, each behind a norm and beside the residual stream | 2 |
# | broadcasting | the rule by which `(T, d_model)` can be added to `(B, T, d_model)` | 1 |
# | buffer | a tensor that belongs to a module and is not trained | 1 |
# | byte-pair encoding | a way to cut texts into tokens: frequent pairs of neighbours become one, again and again | 0 |
# | causal mask | what lets each position look at itself and those before it, and at nothing later | 2, 3 |
# | checkpointing | keeping only what enters a block, and computing the rest again in the backward pass | 5 |
# | context | the tokens that a model looks at to predict the next one; at most `max_len` | 6 |
# | cross-entropy | the loss of a prediction: minus the logarithm of the probability that the right token got | 3, 6 |
# | `d_ff` | the width of the feed-forward network inside | 2 |
# | `d_k` | the width of queries and keys in one head: `d_model / n_heads` | 2 |
# | `d_model` | how many numbers the vector of a position has | 1 |
# | decoder-only | said of a model that is one stack of causal blocks, without an encoder | 3 |
# | dropout | setting elements to zero by chance while training, and scaling up the others | 1 |
# | embedding | a vector for a token, and the table that holds one for each | 1 |
# | entropy | how undecided a distribution is: 0 if one token is sure, $\ln V$ if all are equally likely | 6 |
# | feed-forward network | two linear maps with an activation between them, for each position by itself | 2 |
# | FLOP | one floating-point operation: an addition, or a multiplication | 5 |
# | fused attention | attention in one piece of code that never stores the weights as a whole | 5 |
# | GELU | a smooth relative of ReLU: x times the share of a normal distribution below x | 2 |
# | gradient | how the loss changes with each parameter; training steps against it | 1, 4 |
# | greedy | said of generation that always takes the most probable token | 6 |
# | head (of attention) | one of several attentions side by side, each on a part of the vector | 2 |
# | head (of the model) | the linear map from vectors to logits, `lm_head` | 3, 4 |
# | hidden state | what stands in the residual stream after a block | 3 |
# | inference mode | a mode of PyTorch without autograd, stricter than `no_grad`: what is computed in it can never have a gradient | 6 |
# | key | what a position shows so that queries can find it | 2 |
# | KV cache | keys and values of earlier positions, kept so that generation need not compute them again | 5, 6 |
# | LayerNorm | brings each vector to mean 0 and standard deviation 1, then scales and shifts it | 2 |
# | logit | a score before the softmax; only differences between logits matter | 3, 6 |
# | loss | the number that training makes small | 3 |
# | mask | says which query may look at which key | 2 |
# | `max_len` | the longest sequence that a model takes | 1 |
# | meta device | where tensors have a shape and no content | 3, 4 |
# | MFU | model FLOPs utilization: the share of a machine's peak that the operations of a model make use of | 5 |
# | multi-query, grouped-query attention | attention whose heads all share one key and value, or share them in groups | 5 |
# | nat | the unit of entropy and loss with the natural logarithm; 1.44 bits | 6 |
# | padding | tokens that fill up shorter sequences and mean nothing | 1 |
# | parameter | a number that training changes | 4 |
# | perplexity | e to the power of the loss: among how many equally likely tokens the model is undecided | 6 |
# | position, learned or sinusoidal | what is added to a token's vector to say where it stands | 1 |
# | pre-norm | said of blocks that normalise what enters a sublayer, not the stream | 2 |
# | query | what a position asks for | 2 |
# | residual stream | the vectors that run through all blocks, to which each sublayer adds | 2, 3 |
# | softmax | makes positive numbers that add to 1 of any numbers: e to the power of each, divided by the sum | 2 |
# | state dict | a model's tensors by their names | 4 |
# | temperature | divides the logits before sampling: below 1 sharper, above 1 more even | 6 |
# | tensor | an array of numbers with a shape, a dtype and a device | 1 |
# | token | a piece of text with a number, its id | 0 |
# | top-k, top-p, min-p | ways to leave out improbable tokens before sampling | 6 |
# | tying | using the token table as the weight of the head, too | 4 |
# | value | what a position hands over where a query has found it | 2 |
# | vocabulary | all tokens that a model knows, `V` of them | 0, 1 |
