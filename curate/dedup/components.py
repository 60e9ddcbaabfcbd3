"""Connected components of a graph by alternating large-star and small-star (Kiveris et al. 2014), on Spark.

Every round is two grouped minima over edges, so no node's neighbours are ever gathered in memory, and a chain of n
documents takes O(log² n) rounds at worst, not n.
"""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F


def components(edges: DataFrame) -> DataFrame:
    """node, component (the smallest node it is connected with) for every node of `edges`, whose columns are a and b.

    Nodes are of any type that sorts. An edge from a node to itself keeps that node as a component of its own.
    """
    stars = edges.select(F.col("a").alias("u"), F.col("b").alias("v")).where("u != v")
    while True:
        # Rounds are cut from their history: a plan that grows with each of them would be computed again from the start.
        stars = small_star(large_star(stars)).localCheckpoint()
        if is_forest_of_stars(stars):
            break
    members = stars.select(F.col("u").alias("node"), F.col("v").alias("component"))
    centres = stars.select(F.col("v").alias("node"), F.col("v").alias("component"))
    loops = edges.where("a = b").select(F.col("a").alias("node")).join(members, "node", "left_anti")
    loops = loops.select("node", F.col("node").alias("component"))
    return members.union(centres).union(loops).distinct()


def large_star(edges: DataFrame) -> DataFrame:
    """u, v: every larger neighbour of a node is tied to the smallest of the node and its neighbours."""
    both = edges.select("u", "v").union(edges.select(F.col("v").alias("u"), F.col("u").alias("v")))
    smallest = F.least(F.min("v").over(Window.partitionBy("u")), F.col("u"))
    tied = both.withColumn("smallest", smallest).where("v > u")
    return tied.select(F.col("v").alias("u"), F.col("smallest").alias("v")).distinct()


def small_star(edges: DataFrame) -> DataFrame:
    """u, v: a node and its smaller neighbours are tied to the smallest of them."""
    downward = edges.select(F.greatest("u", "v").alias("u"), F.least("u", "v").alias("v")).distinct()
    tied = downward.withColumn("smallest", F.min("v").over(Window.partitionBy("u")))
    ties = tied.select(F.explode(F.array("u", "v")).alias("u"), F.col("smallest").alias("v"))
    return ties.where("u != v").distinct()


def is_forest_of_stars(edges: DataFrame) -> bool:
    """True where no node is both tied to another and has others tied to it, and none is tied to two."""
    tied, ties = F.lit(1).alias("tied"), F.lit(0).alias("tied")
    ends = edges.select(F.col("u").alias("node"), tied).union(edges.select(F.col("v").alias("node"), ties))
    nodes = ends.groupBy("node").agg(F.sum("tied").alias("times_tied"), F.min("tied").alias("is_leaf"))
    return nodes.where("times_tied > 1 or (times_tied = 1 and is_leaf = 0)").isEmpty()
