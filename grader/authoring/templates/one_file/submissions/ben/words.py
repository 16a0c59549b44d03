def count_words(words):
    return {word: words.count(word) for word in words}


def most_common(counts, n):
    return sorted(counts.items(), key=lambda pair: -pair[1])[:n]
