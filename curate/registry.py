"""The menu of the toolkit: one table from a name in a recipe to the class behind it, which loads when it is used."""

from __future__ import annotations

from importlib import import_module
from typing import Any, NamedTuple

from curate.errors import RecipeError
from curate.stage import Stage


class Entry(NamedTuple):
    """Where a class lives, and one line on what it is for."""

    target: str  # module:Class
    summary: str


STAGES: dict[str, Entry] = {
    "extract": Entry("curate.extraction.extract:Extract", "main text, title, date and language out of an HTML page"),
    "language_id": Entry("curate.language.identify:LanguageId", "language of the text by fastText lid.176"),
    "url_filter": Entry("curate.filters.url:UrlFilter", "drop by domain, by word and by form of the URL"),
    "gopher_quality": Entry("curate.filters.gopher_quality:GopherQuality", "Gopher quality rules"),
    "keywords": Entry("curate.filters.keywords:Keywords", "drop or keep by words and phrases of a list in the text"),
    "gopher_repetition": Entry("curate.filters.gopher_repetition:GopherRepetition", "Gopher repetition rules"),
    "c4": Entry("curate.filters.c4:C4", "C4 line and document rules"),
    "mc4": Entry("curate.filters.mc4:MC4", "mC4's rule on long lines, for any language"),
    "fineweb": Entry("curate.filters.fineweb:FineWeb", "FineWeb's own quality rules"),
    "strip_urls": Entry("curate.filters.refinedweb:StripUrls", "take URLs and IP addresses out, at most two newlines"),
    "refinedweb_lines": Entry("curate.filters.refinedweb:RefinedWebLines", "RefinedWeb line rules, with the 5 % rule"),
    "ccnet": Entry("curate.filters.ccnet:CCNet", "CCNet paragraphs, and at least 300 characters of them"),
    "sentence_filter": Entry("curate.filters.sentences:SentenceFilter", "take bad sentences out, keep the document"),
    "roots": Entry("curate.filters.roots:Roots", "BigScience's rules for the OSCAR part of ROOTS"),
    "roots_words": Entry("curate.filters.roots_words:RootsWords", "leave out addresses and long words, as for ROOTS"),
    "nemo_english": Entry("curate.filters.nemo:NemoEnglish", "NeMo Curator's heuristic rules for English"),
    "data_juicer": Entry("curate.filters.data_juicer:DataJuicer", "Data-Juicer's filters over characters and words"),
    "outliers": Entry("curate.filters.outliers:Outliers", "drop by limits fitted to the data, language by language"),
    "dates": Entry("curate.filters.dates:Dates", "keep documents of a span of time"),
    "reference_overlap": Entry(
        "curate.filters.reference_overlap:ReferenceOverlap", "keep what shares n-grams with a reference (CC-Stories)"
    ),
    "fineweb2": Entry(
        "curate.filters.fineweb2:FineWeb2", "FineWeb-2: Gopher and FineWeb rules with each language's bounds"
    ),
    "pii": Entry("curate.pii.pii:Pii", "replace personal data by typed placeholders"),
    "exact_dedup": Entry("curate.dedup.exact:ExactDedup", "drop documents whose text, or whose page's URL, is equal"),
    "passage_dedup": Entry(
        "curate.dedup.passages:PassageDedup", "take out lines, paragraphs or sentences that stand elsewhere too"
    ),
    "substring_dedup": Entry(
        "curate.dedup.substrings:SubstringDedup", "take out runs of 50 tokens that occurred before, keep one copy"
    ),
    "ngram_dedup": Entry(
        "curate.dedup.ngrams:NgramDedup", "take out paragraphs and documents whose n-grams occurred before"
    ),
    "semantic_dedup": Entry(
        "curate.dedup.semantic:SemanticDedup", "drop documents that say the same: embeddings, k-means (SemDeDup)"
    ),
    "cluster_sample": Entry(
        "curate.filters.cluster_sample:ClusterSample", "copies by the size or score of a cluster (rehydration)"
    ),
    "decontaminate": Entry(
        "curate.decontamination.decontaminate:Decontaminate", "take out what evaluation sets have: n-grams, verified"
    ),
    "linear_score": Entry("curate.scoring.linear:LinearScore", "logistic regression over hashed terms (GPT-3)"),
    "fasttext_score": Entry("curate.scoring.fasttext:FastTextScore", "a fastText classifier (LLaMA, DCLM)"),
    "perplexity": Entry("curate.scoring.perplexity:Perplexity", "perplexity by a KenLM model (CCNet)"),
    "importance": Entry("curate.scoring.importance:Importance", "importance weight toward a target corpus (DSIR)"),
    "embedding_score": Entry(
        "curate.scoring.embedding_head:EmbeddingScore", "a score by a linear head over embeddings (FineWeb-Edu)"
    ),
    "combine_scores": Entry("curate.scoring.combine:CombineScores", "several scores calibrated and made one (Qwen)"),
    "passage_filter": Entry(
        "curate.scoring.passage_filter:PassageFilter", "take out sentences or paragraphs that another filter would drop"
    ),
    "select": Entry("curate.scoring.select:Select", "the best fraction by a score; buckets; a sample"),
    "fitted_score": Entry(
        "curate.scoring.fitted:FittedScore", "train a model on sources of the run itself, then judge the others by it"
    ),
    "near_dedup": Entry("curate.dedup.near:NearDedup", "drop near duplicates: MinHash LSH, verified by exact Jaccard"),
}

#: Parts outside `curate` that a recipe names. `curate` knows them only from here.
TOKENIZERS: dict[str, Entry] = {
    "bpe": Entry("tokenizer_training.bpe:BytePairEncoding", "byte-level BPE trained on the curated text"),
}
TRAINERS: dict[str, Entry] = {
    "compact": Entry("training_bridge.trainer:CompactTrainer", "a small LLaMA-style decoder"),
}
#: What a training file and `fitted_score` name: each makes the file that a stage above scores by.
MODELS: dict[str, Entry] = {
    "linear": Entry("classifiers.linear.trainer:LinearTrainer", "logistic regression over hashed terms"),
    "fasttext": Entry("classifiers.fasttext.trainer:FastTextTrainer", "fastText, supervised"),
    "language_model": Entry("classifiers.language_model.trainer:LanguageModelTrainer", "Kneser-Ney n-gram model"),
    "importance": Entry("classifiers.importance.trainer:ImportanceTrainer", "importance weights by hashed n-grams"),
    "embedding_head": Entry("classifiers.embedding_head.trainer:EmbeddingHeadTrainer", "linear head over embeddings"),
}
#: Behind `curate classifiers`, `curate label` and `fitted_score`.
CLASSIFIERS: dict[str, Entry] = {
    "fit": Entry("classifiers.fitting:fit", "train and judge a model on examples"),
    "train": Entry("classifiers.commands.train:train", "train and judge a model, from files to files"),
    "evaluate": Entry("classifiers.commands.train:evaluate", "judge a model on labelled files"),
    "calibrate": Entry("classifiers.commands.calibrate:calibrate", "fit a combination of scores"),
    "tables": Entry("classifiers.evaluation.tables:tables", "a judgement as tables"),
    "training": Entry("classifiers.training_file:load", "a training file by its name or path"),
    "trainings": Entry("classifiers.training_file:shipped", "training files that ship"),
    "prompts": Entry("classifiers.commands.distillation:prompts", "write documents for a large model to judge"),
    "distil": Entry("classifiers.commands.distillation:distil", "make examples of judgements"),
    "safety": Entry("classifiers.commands.safety:report", "what models call toxic, spam, … in a corpus"),
    "safety_json": Entry("classifiers.evaluation.safety:as_json", "as JSON"),
    "stage_of": Entry("classifiers.trained_model:stage_of", "the stage that applies a trained model"),
}
#: Behind `curate extractor`.
EXTRACTOR_TRAINING: dict[str, Entry] = {
    "train": Entry("classifiers.extractor.command:train", "train an extractor"),
    "train_tables": Entry("classifiers.extractor.report:shown", "what its training found out"),
    "evaluate": Entry("classifiers.extractor.command:evaluate", "compare extractors"),
    "evaluate_tables": Entry("classifiers.extractor.tables:tables", "as tables"),
    "evaluate_json": Entry("classifiers.extractor.tables:as_json", "as JSON"),
}


def load(table: dict[str, Entry], name: str, *, what: str = "stage") -> type[Any]:
    """The class behind a name. RecipeError with the nearest names where there is none."""
    if name not in table:
        raise RecipeError.unknown(what, name, table)
    module, _, attribute = table[name].target.partition(":")
    loaded: type[Any] = getattr(import_module(module), attribute)
    return loaded


def stage_class(name: str) -> type[Stage]:
    """The stage class behind a name of `STAGES`."""
    return load(STAGES, name)
